// iOS, with Deskpro's messenger-sdk-ios. The SDK asks for no new token by itself: fetch one before every `show()`.
import Foundation

struct ChatToken: Decodable {
    struct Messenger: Decodable {
        let deskproUrl: String
        let messengerId: String
    }
    let token: String
    let messenger: Messenger
}

enum Countersign {
    static let accounts = URL(string: "{{accounts}}")!

    /// Signs in once: keep the device token in the Keychain. A code of your own server (`POST /api/v1/handovers`) goes in
    /// the place of login and password.
    static func signIn(login: String, password: String, name: String) async throws -> String {
        var request = URLRequest(url: accounts.appendingPathComponent("api/v1/devices"))
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = try JSONSerialization.data(withJSONObject: ["login": login, "password": password, "name": name, "platform": "ios"])
        let (data, answer) = try await URLSession.shared.data(for: request)
        guard (answer as? HTTPURLResponse)?.statusCode == 201 else { throw URLError(.userAuthenticationRequired) }
        let begun = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        return begun?["device_token"] as? String ?? ""
    }

    /// 401 means: forget the device token, call `forgetUser()`, and let the user sign in again.
    static func token(deviceToken: String) async throws -> ChatToken {
        var parts = URLComponents(url: accounts.appendingPathComponent("api/v1/token"), resolvingAgainstBaseURL: false)!
        parts.queryItems = [URLQueryItem(name: "messenger", value: "{{messenger}}")]
        var request = URLRequest(url: parts.url!)
        request.setValue("Bearer \(deviceToken)", forHTTPHeaderField: "Authorization")
        request.cachePolicy = .reloadIgnoringLocalCacheData
        let (data, answer) = try await URLSession.shared.data(for: request)
        guard (answer as? HTTPURLResponse)?.statusCode == 200 else { throw URLError(.userAuthenticationRequired) }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(ChatToken.self, from: data)
    }
}

// Before every chat:
//   let chat = try await Countersign.token(deviceToken: kept)
//   let messenger = DeskPro(messengerConfig: MessengerConfig(appUrl: chat.messenger.deskproUrl, appId: chat.messenger.messengerId), containingViewController: self)
//   _ = messenger.authorizeUser(userJwt: chat.token)
//   messenger.present().show()
// At sign-out: messenger.forgetUser(), then DELETE {{accounts}}/api/v1/devices/current with the device token.
