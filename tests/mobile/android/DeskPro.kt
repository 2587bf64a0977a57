// What the recipe for Android uses of Deskpro's kit, as deskpro/messenger-sdk-android declares it in version 0.0.7, commit
// 4210703b7be23978e128eb1d6a27c1194eeff86a, below messenger/src/main/java. The bodies print what was called.
package com.deskpro.messenger

import android.content.Context
import com.deskpro.messenger.data.MessengerConfig
import com.deskpro.messenger.data.PresentBuilder

// com/deskpro/messenger/DeskPro.kt:29
class DeskPro(private val appContext: Context, private val messengerConfig: MessengerConfig) {
    // :83
    fun authorizeUser(userJwt: String): Boolean {
        println("authorizeUser $userJwt")
        return true
    }

    // :103
    fun forgetUser(): Boolean {
        println("forgetUser ${messengerConfig.appId}")
        return true
    }

    // :197
    fun present(): PresentBuilder = PresentBuilder(appContext, messengerConfig.appUrl, messengerConfig.appId)
}
