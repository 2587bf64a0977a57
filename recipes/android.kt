// Android 6 or later, with Deskpro's kit messenger-sdk-android 0.0.7. Your own backend mints the token: one of its
// routes, which your app calls signed in, calls
// POST {{accounts}}/api/v1/mint with {"external_id": …, "messenger": "{{messenger}}",
// "platform": "android"}, as the recipes for websites do, and passes the answer on. When your site deletes an account, your
// backend calls DELETE {{accounts}}/api/v1/users/{external_id}.
//
// The kit reads the token when its view opens and never asks for a new one: fetch one before every chat. It stores the token
// unencrypted and writes it to Timber: never call enableLogging, and if your app uses Timber, drop the tag AppEvent.
//
// When the Messenger opens, the kit calls CookieManager.removeAllCookies: all web views of your app lose their sign-in.
// Keep your app's own sign-in as a header. The kit's manifest allows plain HTTP in your whole app: set
// android:usesCleartextTraffic="false" with tools:replace="android:usesCleartextTraffic". There is no kit for React Native
// or Flutter.
import android.content.Context
import android.webkit.WebStorage
import com.deskpro.messenger.DeskPro
import com.deskpro.messenger.data.MessengerConfig
import java.net.HttpURLConnection
import java.net.URL
import org.json.JSONObject

class Chat(context: Context) {
    private val app = context.applicationContext
    private val preferences = app.getSharedPreferences("countersign", Context.MODE_PRIVATE)

    /** Off the main thread. `route` is your own route, `headers` are those that your app signs in with. */
    fun fetch(route: URL, headers: Map<String, String>): JSONObject {
        val connection = route.openConnection() as HttpURLConnection
        connection.useCaches = false
        connection.connectTimeout = 10_000
        connection.readTimeout = 10_000
        headers.forEach { (name, value) -> connection.setRequestProperty(name, value) }
        check(connection.responseCode == 200) { "the route answered ${connection.responseCode}" }
        return JSONObject(connection.inputStream.bufferedReader().use { it.readText() })
    }

    /** On the main thread, with what [fetch] answered. */
    fun open(chat: JSONObject) {
        val place = chat.getJSONObject("messenger")
        // `getString` would answer the string "null".
        check(!place.isNull("deskpro_url")) { "Deskpro's values are not set at Countersign" }
        val config = MessengerConfig(appUrl = place.getString("deskpro_url"), appId = place.getString("messenger_id"))
        preferences.edit().putString("messenger_id", config.appId).apply()
        val messenger = DeskPro(app, config)
        messenger.authorizeUser(chat.getString("token"))
        messenger.present().show()
    }

    /**
     * At your app's sign-out, on the main thread. `forgetUser` deletes the token, even if your app was restarted since,
     * but leaves the storage of web views behind, with the chat in it.
     */
    fun signOut() {
        preferences.getString("messenger_id", null)?.let { DeskPro(app, MessengerConfig(appUrl = "", appId = it)).forgetUser() }
        WebStorage.getInstance().deleteAllData()
    }
}

// Without a backend of your own, a device signs in at Countersign: POST {{accounts}}/api/v1/devices with login, password,
// name and platform "android" answers a device_token once. Keep it in encrypted storage. GET
// {{accounts}}/api/v1/token?messenger={{messenger}} with "Authorization: Bearer DEVICE_TOKEN" answers the same as your own
// route. 401 means: forget the device token and sign in again. The token
// ends after 14 days without use and after 30 days at most, unless
// device_idle and device_absolute are set otherwise. At sign-out: DELETE {{accounts}}/api/v1/devices/current with the same
// header.
