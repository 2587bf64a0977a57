// What the recipe uses of WebKit, as Source/WebKit/UIProcess/API/Cocoa/WKWebsiteDataStore.h of WebKit/WebKit declares it:
// the class belongs to the main actor, and a completion handler is `async` in Swift.
import Foundation

@MainActor
open class WKWebsiteDataStore: NSObject {
    public class func `default`() -> WKWebsiteDataStore { WKWebsiteDataStore() }

    public class func allWebsiteDataTypes() -> Set<String> { ["WKWebsiteDataTypeLocalStorage"] }

    public func removeData(ofTypes dataTypes: Set<String>, modifiedSince date: Date) async { print("removeData \(dataTypes.count)") }
}
