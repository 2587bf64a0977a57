// What the recipe uses of Android itself; Debian has no android.jar, only its org.json. Named after core/java/android/content/
// Context.java and SharedPreferences.java of the Android Open Source Project, where a property of Kotlin is a Java getter.
package android.content

abstract class Context {
    abstract val applicationContext: Context

    abstract fun getSharedPreferences(name: String, mode: Int): SharedPreferences

    companion object {
        const val MODE_PRIVATE = 0
    }
}

interface SharedPreferences {
    fun getString(key: String, defValue: String?): String?

    fun edit(): Editor

    interface Editor {
        fun putString(key: String, value: String?): Editor

        fun apply()
    }
}
