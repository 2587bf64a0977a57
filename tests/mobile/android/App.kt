// An app around the recipe: `App ROUTE DEVICE_TOKEN` opens a chat, starts again and signs out. `-` for ROUTE only signs out.
import android.content.Context
import android.content.SharedPreferences
import java.net.URI

class Device : Context(), SharedPreferences, SharedPreferences.Editor {
    private val values = mutableMapOf<String, String?>()

    override val applicationContext get() = this

    override fun getSharedPreferences(name: String, mode: Int) = this

    override fun getString(key: String, defValue: String?) = values[key] ?: defValue

    override fun edit() = this

    override fun putString(key: String, value: String?) = also { values[key] = value }

    override fun apply() = println("apply")
}

fun main(args: Array<String>) {
    val device = Device()
    val (route, token) = args
    if (route != "-") {
        val chat = Chat(device)
        chat.open(chat.fetch(URI(route).toURL(), mapOf("Authorization" to "Bearer $token")))
    }
    Chat(device).signOut()
}
