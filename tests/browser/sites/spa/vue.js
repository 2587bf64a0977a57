import { createApp } from "vue";
import App from "./App.vue";

const root = document.getElementById("app");
const app = createApp(App, { tokenUrl: root.dataset.tokenUrl });
// What Vue only warns of is an error here.
app.config.warnHandler = (message) => console.error(message);
app.mount(root);
