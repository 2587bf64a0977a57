<script src="{{accounts}}/embed.js" data-messenger="{{messenger}}" data-token-url="/chat-token"
  data-user="{{ auth()->id() }}" async></script>
