// Android, with Deskpro's messenger-sdk-android. The SDK reads the token when its view opens and asks for no other:
// fetch one before every `show()`. Do not let it log: it may write the token down.
import java.net.HttpURLConnection
import java.net.URL
import org.json.JSONObject

object Countersign {
    private const val ACCOUNTS = "{{accounts}}"

    /** Signs in once: keep the device token in encrypted storage. A code of your own server goes in the place of both. */
    fun signIn(login: String, password: String, name: String): String {
        val body = JSONObject(mapOf("login" to login, "password" to password, "name" to name, "platform" to "android"))
        return ask("POST", "/api/v1/devices", null, body).getString("device_token")
    }

    /** 401 means: forget the device token, call `forgetUser()`, and let the user sign in again. */
    fun token(deviceToken: String): JSONObject = ask("GET", "/api/v1/token?messenger={{messenger}}", deviceToken, null)

    private fun ask(method: String, path: String, deviceToken: String?, body: JSONObject?): JSONObject {
        val connection = URL(ACCOUNTS + path).openConnection() as HttpURLConnection
        connection.requestMethod = method
        connection.useCaches = false
        deviceToken?.let { connection.setRequestProperty("Authorization", "Bearer $it") }
        body?.let {
            connection.doOutput = true
            connection.setRequestProperty("Content-Type", "application/json")
            connection.outputStream.use { out -> out.write(it.toString().toByteArray()) }
        }
        check(connection.responseCode in 200..299) { "Countersign answered ${connection.responseCode}" }
        return JSONObject(connection.inputStream.bufferedReader().readText())
    }
}

// Before every chat, off the main thread:
//   val chat = Countersign.token(kept)
//   val place = chat.getJSONObject("messenger")
//   val messenger = DeskPro(MessengerConfig(place.getString("deskpro_url"), place.getString("messenger_id")))
//   messenger.authorizeUser(chat.getString("token"))
//   messenger.present().show()
// At sign-out: messenger.forgetUser(), then DELETE {{accounts}}/api/v1/devices/current with the device token.
