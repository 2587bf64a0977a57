// Android 6 or later, with Deskpro's SDK messenger-sdk-android 0.0.7. Your own backend gets the token: one of its routes,
// which your app calls when its user is signed in, calls
// POST {{accounts}}/api/v1/mint with {"external_id": …, "messenger": "{{messenger}}",
// "platform": "android"}, as the recipes for websites do, and passes the response on. When your site deletes an account, your
// backend calls DELETE {{accounts}}/api/v1/users/{external_id}.
//
// The SDK reads the token when its view opens and never requests a new one: fetch one before every chat. It stores the token
// unencrypted and logs it with Timber: never call enableLogging, and if your app uses Timber, discard the tag AppEvent.
//
// When the Messenger opens, the SDK calls CookieManager.removeAllCookies: all web views of your app lose their session.
// Authenticate your app with a header instead. The SDK's manifest allows plain HTTP in your whole app: set
// android:usesCleartextTraffic="false" with tools:replace="android:usesCleartextTraffic". There is no SDK for React Native
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

    /** Call it off the main thread. `route` is your own route, `headers` are those that authenticate your app. */
    fun fetch(route: URL, headers: Map<String, String>): JSONObject {
        val connection = route.openConnection() as HttpURLConnection
        connection.useCaches = false
        connection.connectTimeout = 10_000
        connection.readTimeout = 10_000
        headers.forEach { (name, value) -> connection.setRequestProperty(name, value) }
        check(connection.responseCode == 200) { "the route returned ${connection.responseCode}" }
        return JSONObject(connection.inputStream.bufferedReader().use { it.readText() })
    }

    /** Call it on the main thread, with the result of [fetch]. */
    fun open(chat: JSONObject) {
        val place = chat.getJSONObject("messenger")
        // `getString` would return the string "null".
        check(!place.isNull("deskpro_url")) { "Deskpro's values are not set in Countersign" }
        val config = MessengerConfig(appUrl = place.getString("deskpro_url"), appId = place.getString("messenger_id"))
        preferences.edit().putString("messenger_id", config.appId).apply()
        val messenger = DeskPro(app, config)
        messenger.authorizeUser(chat.getString("token"))
        messenger.present().show()
    }

    /**
     * Call it at your app's sign-out, on the main thread. `forgetUser` deletes the token, even if your app was restarted
     * since, but does not delete the storage of web views, which contains the chat.
     */
    fun signOut() {
        preferences.getString("messenger_id", null)?.let { DeskPro(app, MessengerConfig(appUrl = "", appId = it)).forgetUser() }
        WebStorage.getInstance().deleteAllData()
    }
}

// Without a backend of your own, a device signs in at Countersign: POST {{accounts}}/api/v1/devices with login, password,
// name and platform "android" returns a device_token once. Keep it in encrypted storage. GET
// {{accounts}}/api/v1/token?messenger={{messenger}} with "Authorization: Bearer DEVICE_TOKEN" returns the same as your own
// route. 401 means: delete the device token and sign in again. The token
// expires after 14 days without use, and after 30 days at the latest, unless
// device_idle and device_absolute are set otherwise. At sign-out: DELETE {{accounts}}/api/v1/devices/current with the same
// header.
