// What the recipe and the kit use of UIKit, for machines without Apple's SDK. UIKit brings Foundation with it.
@_exported import Foundation
#if canImport(FoundationNetworking)
@_exported import FoundationNetworking
#endif

@MainActor
open class UIViewController: NSObject {
    public nonisolated override init() {}
}
