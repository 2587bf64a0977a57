# Your own login in Rails: one action, one line in your layout.
#
#   config/routes.rb:  get "/chat-token", to: "chat_tokens#show"
#   layout:            <script src="{{accounts}}/embed.js" data-messenger="{{messenger}}" data-token-url="/chat-token"
#                        data-user="<%= current_user&.id %>" async></script>

require "net/http"

class ChatTokensController < ApplicationController
  ACCOUNTS = "{{accounts}}"

  def show
    response.headers["Cache-Control"] = "no-store"
    return head(:no_content) unless current_user

    minted = Net::HTTP.post(
      URI("#{ACCOUNTS}/api/v1/mint"),
      {
        external_id: current_user.id.to_s,
        messenger: "{{messenger}}",
        # What support should know. Say `email_verified` only of addresses that you have proved.
        user: { email: current_user.email, email_verified: true, display_name: current_user.name }
      }.to_json,
      # Made with `countersign api-key create "my site" --scope users,mint`; it never leaves your server.
      "Authorization" => "Bearer #{ENV.fetch("COUNTERSIGN_API_KEY")}", "Content-Type" => "application/json"
    )
    render json: minted.body, status: minted.code.to_i
  end
end
