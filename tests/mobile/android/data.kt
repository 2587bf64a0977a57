// The other half of DeskPro.kt beside this file: same version, same commit.
package com.deskpro.messenger.data

import android.content.Context

// com/deskpro/messenger/data/MessengerConfig.kt:22; there, the last value is R.drawable.deskpro_logo.
data class MessengerConfig(
    val appUrl: String,
    val appId: String,
    val appKey: String? = null,
    val appIcon: Int = 0,
)

// com/deskpro/messenger/data/PresentBuilder.kt:16
class PresentBuilder(private val context: Context?, private val url: String, private val appId: String) {
    // :64
    fun show() = println("show $url $appId ${context != null}")
}
