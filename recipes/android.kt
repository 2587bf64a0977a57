// Android, with Deskpro's messenger-sdk-android. Your own backend mints the token: a route of it that your app is signed
// in to calls POST /api/v1/mint with {"external_id": …, "platform": "android"}, as the recipes for websites do, and
// passes the answer on. The kit reads the token when its view opens and asks for no other: fetch one before every chat.
// Switch the kit's log off: it may write the token down.
//
// When the Messenger opens, the kit calls CookieManager.removeAllCookies: all web views of your app lose their sign-in.
// Keep your app's own sign-in as a header. There is no kit for React Native or Flutter.
import android.content.Context
import android.webkit.WebStorage
import com.deskpro.messenger.DeskPro
import com.deskpro.messenger.data.MessengerConfig
import java.net.HttpURLConnection
import java.net.URL
import org.json.JSONObject

class Chat(private val context: Context) {
    private var messenger: DeskPro? = null

    /** Off the main thread. `route` is your own route, `headers` are those that your app signs in with. */
    fun fetch(route: URL, headers: Map<String, String>): JSONObject {
        val connection = route.openConnection() as HttpURLConnection
        connection.useCaches = false
        headers.forEach(connection::setRequestProperty)
        check(connection.responseCode == 200) { "the route answered ${connection.responseCode}" }
        return JSONObject(connection.inputStream.bufferedReader().readText())
    }

    /** On the main thread, with what [fetch] answered. */
    fun open(chat: JSONObject) {
        val place = chat.getJSONObject("messenger")
        val config = MessengerConfig(appUrl = place.getString("deskpro_url"), appId = place.getString("messenger_id"))
        messenger = DeskPro(context, config).also {
            it.authorizeUser(chat.getString("token"))
            it.present().show()
        }
    }

    /** At your app's sign-out. `forgetUser` leaves the storage of web views behind, with the chat in it. */
    fun signOut() {
        messenger?.forgetUser()
        messenger = null
        WebStorage.getInstance().deleteAllData()
    }
}

// Without a backend of your own, a device signs in at Countersign: POST {{accounts}}/api/v1/devices with login, password,
// name and platform "android" answers a device token once. Keep it in encrypted storage. GET
// {{accounts}}/api/v1/token?messenger={{messenger}} with "Authorization: Bearer DEVICE_TOKEN" answers the same as your own
// route. 401 means: forget it and sign in again. It ends after 14 days without use and after 30 days at most. At sign-out:
// DELETE {{accounts}}/api/v1/devices/current with the same header.
