<Countersign user={session?.user.sub ?? ""} tokenUrl="/chat-token" />
