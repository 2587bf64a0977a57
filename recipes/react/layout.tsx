<Countersign user={user?.id ?? ""} tokenUrl="/chat-token" />
