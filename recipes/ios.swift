// iOS 15 or later, with Deskpro's SDK messenger-sdk-ios 0.1.5. Your own backend gets the token: one of its routes,
// which your app calls when its user is signed in, calls POST {{accounts}}/api/v1/mint with {"external_id": …, "messenger": "{{messenger}}",
// "platform": "ios"}, as the recipes for websites do, and passes the response on. When your site deletes an account, your
// backend calls DELETE {{accounts}}/api/v1/users/{external_id}.
//
// The SDK never requests a new token: fetch one before every chat. It stores the token unencrypted, in UserDefaults.
//
// When the Messenger opens, the SDK deletes all cookies of HTTPCookieStorage.shared, which are those of URLSession.shared.
// Authenticate your app with a header instead, or with a URLSession that has its own cookie storage. There is no SDK for React
// Native or Flutter.
import UIKit
import WebKit
import messenger_sdk_ios

struct ChatToken: Decodable {
    struct Messenger: Decodable {
        let deskproUrl: String
        let messengerId: String
    }
    let token: String
    let messenger: Messenger
}

@MainActor
final class Chat {
    /// Without a cache: every chat needs a fresh token.
    private let session = URLSession(configuration: .ephemeral)
    private let preferences = UserDefaults.standard
    private var messenger: DeskPro?

    /// `request` is a request to your own route, with the header that authenticates your app.
    func open(_ request: URLRequest, in controller: UIViewController) async throws {
        let (data, answer) = try await session.data(for: request)
        guard (answer as? HTTPURLResponse)?.statusCode == 200 else { throw URLError(.badServerResponse) }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let chat = try decoder.decode(ChatToken.self, from: data)
        let config = MessengerConfig(appUrl: chat.messenger.deskproUrl, appId: chat.messenger.messengerId)
        preferences.set(config.appId, forKey: "countersign.messenger_id")
        let messenger = DeskPro(messengerConfig: config, containingViewController: controller)
        messenger.authorizeUser(userJwt: chat.token)
        messenger.present().show()
        self.messenger = messenger
    }

    /// Call it at your app's sign-out. `forgetUser` deletes the token, even if your app was restarted since, but does not
    /// delete the storage of web views, which contains the chat.
    func signOut() async {
        if let id = preferences.string(forKey: "countersign.messenger_id") {
            let config = MessengerConfig(appUrl: "", appId: id)
            DeskPro(messengerConfig: config, containingViewController: UIViewController()).forgetUser()
        }
        messenger = nil
        await WKWebsiteDataStore.default().removeData(ofTypes: WKWebsiteDataStore.allWebsiteDataTypes(), modifiedSince: .distantPast)
    }
}

// Without a backend of your own, a device signs in at Countersign: POST {{accounts}}/api/v1/devices with login, password,
// name and platform "ios" returns a device_token once. Keep it in the Keychain. GET {{accounts}}/api/v1/token?messenger={{messenger}}
// with "Authorization: Bearer DEVICE_TOKEN" returns the same as your own route. 401 means: delete the
// device token and sign in again. The token expires
// after 14 days without use, and after 30 days at the latest, unless device_idle and device_absolute are set otherwise. At sign-out:
// DELETE {{accounts}}/api/v1/devices/current with the same header.
