//! The recipes in groups, with the steps of each recipe.

use super::With::{ConnectionCode, Download, File, Link, Paste, Words};
use super::{Group, Recipe, Step};

const MAKE_A_KEY: Step = Step(
    "Make an API key with the scopes `users` and `mint`, and set it as `COUNTERSIGN_API_KEY` in your server's environment. It never leaves your server.",
    Link("/admin/api-keys", "Make an API key"),
);
const SAY_WHOSE_ADDRESS: Step = Step(
    "In the file, define how your website knows that an address is the user's own. Until then, no user is confirmed by an address: Deskpro treats anyone who has a token as the owner of the address in it.",
    Words,
);

/// All recipes, in their groups.
pub const GROUPS: &[Group] = &[
    (
        "Your users sign in here",
        "For pages on the same site as Countersign, which runs on a subdomain or a path of your website.",
        &[
            Recipe {
                name: "page.html",
                saved_as: "snippet.html",
                title: "Any page",
                lead: "",
                steps: &[
                    Step(
                        "Add the page's origin to the messenger's allowed origins.",
                        Link("/admin/messengers/{{messenger}}", "Allowed origins"),
                    ),
                    Step("Paste this into every page, before `</body>`.", File),
                    Step(
                        "Anywhere you like, add a link that signs the user in and comes back, and a button that signs the user out and also ends the chat.",
                        Paste("page/ways.html"),
                    ),
                ],
                is_tried: true,
            },
            Recipe {
                name: "nginx.conf",
                saved_as: "countersign.conf",
                title: "A path of your website (nginx)",
                lead: "If a subdomain is not possible.",
                steps: &[
                    Step(
                        "Start Countersign with these two environment variables: its public address with the path, and the address that nginx connects from.",
                        Paste("nginx/environment"),
                    ),
                    Step(
                        "Put this inside `server { … }` of your website's configuration, and load it with `nginx -s reload`.",
                        File,
                    ),
                    Step("Open this page at the new address, and continue with “Any page” there.", Words),
                ],
                is_tried: true,
            },
        ],
    ),
    (
        "Your website has its own login",
        "One route on your server with an API key, one line in your pages. Users need no second login.",
        &[
            Recipe {
                name: "wordpress.zip",
                saved_as: "countersign-wordpress.zip",
                title: "WordPress",
                lead: "A plugin with a settings page. You edit no files by hand.",
                steps: &[
                    Step("Download the plugin.", Download),
                    Step(
                        "In WordPress, under Plugins, Add New, Upload Plugin: choose the file, install it, activate it.",
                        Words,
                    ),
                    Step(
                        "Make a connection code. It works once and expires after 15 minutes.",
                        ConnectionCode("WordPress"),
                    ),
                    Step(
                        "In WordPress, under Settings, Countersign: paste the code and press “Connect”.",
                        Words,
                    ),
                    Step(
                        "On the same page, choose whose email addresses are verified, and try it with a user.",
                        Words,
                    ),
                ],
                is_tried: true,
            },
            Recipe {
                name: "express.js",
                saved_as: "countersign.cjs",
                title: "Express",
                lead: "",
                steps: &[
                    MAKE_A_KEY,
                    Step("Save this as `countersign.cjs` beside your server.", File),
                    SAY_WHOSE_ADDRESS,
                    Step(
                        "Add a route. In an ES module, the first line is `import { chatToken, gone } from \"./countersign.cjs\";`.",
                        Paste("express/route.js"),
                    ),
                    Step(
                        "Add a line to your pages, before `</body>`, with your own id for the signed-in user.",
                        Paste("express/page.html"),
                    ),
                    Step(
                        "Where your website deletes an account, tell Countersign.",
                        Paste("express/gone.js"),
                    ),
                ],
                is_tried: true,
            },
            Recipe {
                name: "django.py",
                saved_as: "countersign.py",
                title: "Django",
                lead: "It also tells Countersign when an account is deleted.",
                steps: &[
                    MAKE_A_KEY,
                    Step("Save this as `countersign.py` in one of your apps.", File),
                    SAY_WHOSE_ADDRESS,
                    Step(
                        "Add a line to your `urls.py`, and import `countersign` there from your app.",
                        Paste("django/urls.py"),
                    ),
                    Step("Add a line to your `base.html`, before `</body>`.", Paste("django/base.html")),
                ],
                is_tried: true,
            },
            Recipe {
                name: "rails.rb",
                saved_as: "chat_tokens_controller.rb",
                title: "Rails",
                lead: "",
                steps: &[
                    MAKE_A_KEY,
                    Step("Save this as `app/controllers/chat_tokens_controller.rb`.", File),
                    SAY_WHOSE_ADDRESS,
                    Step("Add a route to `config/routes.rb`.", Paste("rails/routes.rb")),
                    Step(
                        "Add a line to your layout, at the end of the body, where Turbo reads it on each visit.",
                        Paste("rails/layout.html.erb"),
                    ),
                    Step(
                        "In your User model, tell Countersign when an account is deleted.",
                        Paste("rails/user.rb"),
                    ),
                ],
                is_tried: false,
            },
            Recipe {
                name: "laravel.php",
                saved_as: "countersign.php",
                title: "Laravel",
                lead: "It also tells Countersign when an account is deleted.",
                steps: &[
                    Step(
                        "Make an API key with the scopes `users` and `mint`, and set it as `COUNTERSIGN_API_KEY` in `.env`.",
                        Link("/admin/api-keys", "Make an API key"),
                    ),
                    Step("Add a line to `config/services.php`.", Paste("laravel/services.php")),
                    Step("Save this as `routes/countersign.php`.", File),
                    SAY_WHOSE_ADDRESS,
                    Step("Add a line to `routes/web.php`.", Paste("laravel/web.php")),
                    Step("Add a line to your layout, before `</body>`.", Paste("laravel/layout.blade.php")),
                ],
                is_tried: true,
            },
            Recipe {
                name: "next.ts",
                saved_as: "route.ts",
                title: "Next with Auth0",
                lead: "With a sign-in other than Auth0's, two lines are different.",
                steps: &[
                    MAKE_A_KEY,
                    Step(
                        "Save this as `app/chat-token/route.ts`, in an application that has a `lib/auth0.ts` for `@auth0/nextjs-auth0`.",
                        File,
                    ),
                    SAY_WHOSE_ADDRESS,
                    Step(
                        "Add the component from the recipe “React and Next” to your layout.",
                        Paste("next/layout.tsx"),
                    ),
                    Step(
                        "Where your website deletes an account, for example in an Auth0 webhook, tell Countersign.",
                        Paste("next/gone.ts"),
                    ),
                ],
                is_tried: true,
            },
            Recipe {
                name: "handover.js",
                saved_as: "handover.cjs",
                title: "Express, with a handover code",
                lead: "Use this instead of your own route if Countersign's own pages must also know the user. Your pages must be on the same site as Countersign.",
                steps: &[
                    Step(
                        "Add the pages' origin to the messenger's allowed origins.",
                        Link("/admin/messengers/{{messenger}}", "Allowed origins"),
                    ),
                    Step(
                        "Make an API key with the scopes `users` and `handovers`, and set it as `COUNTERSIGN_API_KEY` in your server's environment. It never leaves your server.",
                        Link("/admin/api-keys", "Make an API key"),
                    ),
                    Step("Save this as `handover.cjs` beside your server.", File),
                    SAY_WHOSE_ADDRESS,
                    Step(
                        "Fetch a handover code for each page that you send, with the page's origin.",
                        Paste("handover/code.js"),
                    ),
                    Step("Add a line to your pages, before `</body>`.", Paste("handover/page.html")),
                    Step(
                        "Where your website deletes an account, tell Countersign.",
                        Paste("handover/gone.js"),
                    ),
                ],
                is_tried: true,
            },
        ],
    ),
    (
        "Single-page applications",
        "They work with both ways of signing in.",
        &[
            Recipe {
                name: "react.tsx",
                saved_as: "Countersign.tsx",
                title: "React and Next",
                lead: "",
                steps: &[
                    Step(
                        "Save this as `Countersign.tsx`. In Next its first line must be `\"use client\";`.",
                        File,
                    ),
                    Step(
                        "Add it to your layout. `user` is your own id for the signed-in user, or `\"\"` if no user is signed in. Omit `tokenUrl` if users sign in here.",
                        Paste("react/layout.tsx"),
                    ),
                ],
                is_tried: true,
            },
            Recipe {
                name: "vue.vue",
                saved_as: "Countersign.vue",
                title: "Vue",
                lead: "",
                steps: &[
                    Step("Save this as `Countersign.vue`.", File),
                    Step(
                        "Add it to your `App.vue`. `user` is your own id for the signed-in user, or `''` if no user is signed in. Omit `token-url` if users sign in here.",
                        Paste("vue/app.vue"),
                    ),
                ],
                is_tried: true,
            },
        ],
    ),
    (
        "Native apps",
        "Your own backend mints the token. Without a backend, a device signs in here once: the end of each file says how. Before every chat the app fetches a token.",
        &[
            Recipe {
                name: "ios.swift",
                saved_as: "Countersign.swift",
                title: "iOS",
                lead: "",
                steps: &[
                    Step(
                        "In your backend, use one of the recipes above, and send `\"platform\": \"ios\"` in the request to `POST /api/v1/mint`.",
                        Words,
                    ),
                    Step(
                        "Add this to your app, and read what the comment at its top says about cookies.",
                        File,
                    ),
                    Step("Before every chat, fetch a token and open the Messenger.", Paste("ios/open.swift")),
                    Step(
                        "When the user signs out of your app, also end the chat.",
                        Paste("ios/sign-out.swift"),
                    ),
                    Step(
                        "Where your backend deletes an account, tell Countersign: `DELETE {{accounts}}/api/v1/users/ID` with the API key.",
                        Words,
                    ),
                ],
                is_tried: false,
            },
            Recipe {
                name: "android.kt",
                saved_as: "Countersign.kt",
                title: "Android",
                lead: "",
                steps: &[
                    Step(
                        "In your backend, use one of the recipes above, and send `\"platform\": \"android\"` in the request to `POST /api/v1/mint`.",
                        Words,
                    ),
                    Step(
                        "Add this to your app, and read what the comment at its top says about cookies.",
                        File,
                    ),
                    Step(
                        "Before every chat, fetch a token off the main thread, then open the Messenger on the main thread.",
                        Paste("android/open.kt"),
                    ),
                    Step(
                        "When the user signs out of your app, also end the chat.",
                        Paste("android/sign-out.kt"),
                    ),
                    Step(
                        "Where your backend deletes an account, tell Countersign: `DELETE {{accounts}}/api/v1/users/ID` with the API key.",
                        Words,
                    ),
                ],
                is_tried: true,
            },
        ],
    ),
    (
        "What your pages must allow",
        "Only if they have a Content-Security-Policy.",
        &[Recipe {
            name: "policy.txt",
            saved_as: "policy.txt",
            title: "Content-Security-Policy",
            lead: "",
            steps: &[Step("Add this to your policy.", File)],
            is_tried: true,
        }],
    ),
];
