// What the recipe for iOS uses of Deskpro's kit, as deskpro/messenger-sdk-ios declares it in version 0.1.5, commit
// 2714f4b036f5f719b11980e5c2759c6babbc40ce; without @objc, which Linux does not have. The module's name is that of the
// target in Package.swift:17, with underscores.
import UIKit

// Sources/MessengerConfig.swift:12
public final class MessengerConfig: NSObject {
    // :14
    public var appUrl: String
    public var appId: String
    public var appKey: String?

    // :21
    public init(appUrl: String, appId: String, appKey: String? = nil) {
        self.appUrl = appUrl
        self.appId = appId
        self.appKey = appKey
    }
}

// Sources/Deskpro.swift:14
public final class DeskPro: NSObject {
    private let config: MessengerConfig

    // :33
    public init(messengerConfig: MessengerConfig, containingViewController: UIViewController, enableAutologging: Bool = false) {
        config = messengerConfig
    }

    // :75
    @discardableResult
    public final func authorizeUser(userJwt: String) -> Bool {
        print("authorizeUser \(userJwt)")
        return true
    }

    // :91
    @discardableResult
    public final func forgetUser() -> Bool {
        print("forgetUser \(config.appId)")
        return true
    }

    // :150
    public final func present() -> PresentBuilder { PresentBuilder(url: config.appUrl, appId: config.appId) }
}

// Sources/PresentBuilder.swift:16
public final class PresentBuilder: NSObject {
    private let url: String
    private let appId: String

    init(url: String, appId: String) {
        self.url = url
        self.appId = appId
    }

    // :79
    public final func show() { print("show \(url) \(appId)") }
}
