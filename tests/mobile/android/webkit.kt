// As content.kt beside this file; after core/java/android/webkit/WebStorage.java.
package android.webkit

class WebStorage private constructor() {
    fun deleteAllData() = println("deleteAllData")

    companion object {
        private val only = WebStorage()

        @JvmStatic
        fun getInstance(): WebStorage = only
    }
}
