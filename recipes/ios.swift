// iOS, with Deskpro's messenger-sdk-ios. Your own backend mints the token: a route of it that your app is signed in to
// calls POST /api/v1/mint with {"external_id": …, "platform": "ios"}, as the recipes for websites do, and passes the
// answer on. The kit asks for no new token by itself: fetch one before every chat.
//
// When the Messenger opens, the kit deletes all cookies of HTTPCookieStorage.shared. Keep your app's own sign-in as a
// header, or in a URLSession with a cookie storage of its own. There is no kit for React Native or Flutter.
import DeskproFramework
import UIKit
import WebKit

struct ChatToken: Decodable {
    struct Messenger: Decodable {
        let deskproUrl: String
        let messengerId: String
    }
    let token: String
    let messenger: Messenger
}

final class Chat {
    private var messenger: DeskPro?

    /// `request` is a request to your own route, signed in as your app is.
    func open(_ request: URLRequest, in controller: UIViewController) async throws {
        let (data, answer) = try await URLSession.shared.data(for: request)
        guard (answer as? HTTPURLResponse)?.statusCode == 200 else { throw URLError(.userAuthenticationRequired) }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let chat = try decoder.decode(ChatToken.self, from: data)
        await MainActor.run {
            let config = MessengerConfig(appUrl: chat.messenger.deskproUrl, appId: chat.messenger.messengerId)
            let messenger = DeskPro(messengerConfig: config, containingViewController: controller)
            _ = messenger.authorizeUser(userJwt: chat.token)
            messenger.present().show()
            self.messenger = messenger
        }
    }

    /// At your app's sign-out. `forgetUser` leaves the storage of web views behind, with the chat in it.
    @MainActor
    func signOut() async {
        messenger?.forgetUser()
        messenger = nil
        await WKWebsiteDataStore.default().removeData(ofTypes: WKWebsiteDataStore.allWebsiteDataTypes(), modifiedSince: .distantPast)
    }
}

// Without a backend of your own, a device signs in at Countersign: POST {{accounts}}/api/v1/devices with login, password,
// name and platform "ios" answers a device token once. Keep it in the Keychain. GET {{accounts}}/api/v1/token?messenger={{messenger}}
// with "Authorization: Bearer DEVICE_TOKEN" answers the same as your own route. 401 means: forget it and sign in again. It ends
// after 14 days without use and after 30 days at most. At sign-out: DELETE {{accounts}}/api/v1/devices/current with the same header.
