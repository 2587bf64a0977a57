# Your own login in Rails: an action that returns a token for the signed-in user.
# Its API key is in COUNTERSIGN_API_KEY and has the scopes users and mint.

require "net/http"

class ChatTokensController < ApplicationController
  ACCOUNTS = "{{accounts}}"
  KEY = -> { { "Authorization" => "Bearer #{ENV.fetch("COUNTERSIGN_API_KEY")}", "Content-Type" => "application/json" } }

  # The account no longer exists: nobody is signed in with it any more, and a late call does not restore it.
  def self.gone(id)
    uri = URI("#{ACCOUNTS}/api/v1/users/#{ERB::Util.url_encode(id)}")
    Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https") { |http| http.delete(uri.request_uri, KEY.call) }
  end

  def show
    response.headers["Cache-Control"] = "no-store"
    return head(:no_content) unless current_user

    minted = Net::HTTP.post(
      URI("#{ACCOUNTS}/api/v1/mint"),
      {
        external_id: current_user.id.to_s,
        messenger: "{{messenger}}",
        user: { email: current_user.email, email_verified: proved?(current_user), display_name: current_user.name }
      }.to_json,
      KEY.call
    )
    render json: minted.body, status: minted.code.to_i
  end

  private

  # Define how your site knows that the user's address is verified; with Devise: user.confirmed?
  # Deskpro treats anyone who presents a token as the owner of the address in it, so until you define this, no user gets
  # a token on the basis of an address alone.
  def proved?(user)
    false
  end
end
