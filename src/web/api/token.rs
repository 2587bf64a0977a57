//! `GET /api/v1/token`: a fresh token for the user of the session cookie or of the device token. The cookie is
//! read here, without the pages' session layer. Pages of allowed origins may call it (`cors`). A token that is
//! remembered does not come here (`shortcut`).

use std::fmt::Write as _;

use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ContentType, ORIGIN};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::app::entries::{Before, Credential, Fresh, Remembered, Request, Wanted};
use crate::app::sessions::{SignedIn, Use};
use crate::app::tokens::{Issued, TokenSubject};
use crate::app::{App, AppError, Caller};
use crate::core::id::MessengerId;
use crate::core::messenger::{Messenger, Platform};
use crate::web::api::site::bearer;
use crate::web::http::client::{Client, header, only_header};
use crate::web::http::error::{Failure, Nobody};
use crate::web::http::run::Asker as _;
use crate::web::http::session;

/// The query parameters.
#[derive(Deserialize)]
pub struct Query {
    messenger: Option<MessengerId>,
    #[serde(default)]
    optional: String,
    platform: Option<String>,
    /// The user whom the page shows: the site's own user ID, or empty if the page shows no user. The page
    /// does not get another user's token.
    shown: Option<String>,
    /// Repeated in the response, so that a page can detect a cached response.
    nonce: Option<String>,
}

/// Returns a token, 401 if no user is signed in (204 with `?optional=1`), or 403 with the reason why this
/// user gets none.
pub async fn show(
    request: HttpRequest,
    client: Client,
    query: web::Query<Query>,
) -> Result<HttpResponse, Failure> {
    let Query { messenger, optional, platform, shown, nonce } = query.into_inner();
    if nonce.as_deref().is_some_and(|nonce| !is_nonce(nonce)) {
        return Err(Failure::Body("nonce: use at most 64 letters, digits, '-' and '_'.".into()));
    }
    let platform = platform.map(|word| read_platform(&word)).transpose()?.flatten();
    if let Some(token) = bearer(&request) {
        let token = token.to_owned();
        let answer = move |app: &App, client: &Client| {
            let (caller, before) = (client.caller(), app.before_reading());
            let Some((signed_in, device)) = app.device(&token, &caller)? else { return Ok(None) };
            app.ask_token(&signed_in.digest)?;
            let wanted =
                Wanted { messenger: messenger.as_ref(), platform, shown: shown.as_deref(), page: None };
            let (credential, of_device) = (Credential::Device(&token), Platform::parse(&device.platform));
            Ok::<_, AppError>(Some(issue(app, &signed_in, credential, wanted, before, of_device, &caller)?))
        };
        let answer = client.run(answer).await?.ok_or(Failure::DeviceToken)?;
        return answered(answer, nonce.as_deref(), &optional, || Ok(Value::Null));
    }
    // A page that names no messenger means `default`; `cors` uses it to decide who may read the response.
    let messenger = messenger.or_else(|| only_header(&request, ORIGIN).map(|_| MessengerId::default()));
    let described = {
        let (app, messenger) = (client.app.clone(), messenger.clone().unwrap_or_default());
        move || Ok(json!(describe(&app.messenger(&messenger)?, platform)))
    };
    if messenger.is_some() {
        // A wrong name is an error for every caller.
        described()?;
    }
    let cookie = session::presented(&request, &client.app);
    let (Some(reference), Some(cookie)) = (session::reference(&request, &client.app), cookie) else {
        let nobody = if is_of_another_site(&request) { Nobody::Kept } else { Nobody::SignedOut };
        return answered(Err(nobody), nonce.as_deref(), &optional, described);
    };
    let answer = move |app: &App, client: &Client| {
        let before = app.before_reading();
        let signed_in = app.session(&reference, Use::Website)?;
        let Some(signed_in) = signed_in else { return Ok(Err(Nobody::SignedOut)) };
        app.ask_token(&signed_in.digest)?;
        let wanted = Wanted { messenger: messenger.as_ref(), platform, shown: shown.as_deref(), page: None };
        issue(app, &signed_in, Credential::Cookie(&cookie), wanted, before, None, &client.caller())
    };
    let answer = client.run(answer).await?;
    answered(answer, nonce.as_deref(), &optional, described)
}

/// Whether the request comes from a page of another site, or from a page in a frame on another site:
/// browsers send no cookie there. `Sec-Fetch-Storage-Access` reveals the second, because only requests of
/// such frames contain it.
pub fn is_of_another_site(request: &HttpRequest) -> bool {
    header(request, "sec-fetch-site") == Some("cross-site")
        || request.headers().contains_key("sec-fetch-storage-access")
}

/// Whether a response can repeat a nonce.
pub fn is_nonce(nonce: &str) -> bool {
    nonce.len() <= 64 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// A user's token, unless the page shows another user. `of_device` is the platform of the device, if it is one.
fn issue(
    app: &App,
    signed_in: &SignedIn,
    credential: Credential<'_>,
    wanted: Wanted<'_>,
    before: Before,
    of_device: Option<Platform>,
    caller: &Caller,
) -> Result<Result<Remembered, Nobody>, AppError> {
    let user = &signed_in.user;
    let messenger = app.messenger(&signed_in.messenger(wanted.messenger)?)?.id;
    let shown_until = match wanted.shown {
        None => i64::MAX,
        Some(shown) => match app.is_shown(user, shown, &messenger)? {
            Some(shown) => shown.until,
            None => return Ok(Err(Nobody::Other)),
        },
    };
    let request = Request { before, credential, wanted, shown_until };
    let fresh = app.issue_fresh(&request, signed_in, &messenger, &caller.as_user(&user.id))?;
    Ok(Ok(remember(app, fresh, wanted.platform.or(of_device))))
}

/// Remembers a token with the rest of the response.
pub fn remember(app: &App, fresh: Fresh, platform: Option<Platform>) -> Remembered {
    let described = fresh.described(platform, |messenger| {
        serde_json::to_string(&describe(messenger, platform))
            .expect("strings and JSON can be written as JSON")
    });
    app.remember(fresh, described)
}

/// The body of the response with a token: the same as [`written`].
pub fn body(Remembered { issued, subject, described }: &Remembered, nonce: Option<&str>) -> String {
    let mut body = String::with_capacity(issued.token.len() + described.len() + 200);
    // Writing to a string cannot fail.
    let _ = write!(
        body,
        "{{\"token\":\"{}\",\"expires_at\":{},\"expires_in\":{},\"refresh_in\":{},\"server_time\":{},\
         \"subject\":\"{}\",\"messenger\":{described}",
        issued.token,
        issued.expires_at,
        issued.expires_in(),
        issued.refresh_in(),
        issued.server_time,
        subject.as_str(),
    );
    if let Some(nonce) = nonce {
        body.extend([",\"nonce\":\"", nonce, "\""]);
    }
    body.push('}');
    body
}

fn answered(
    answer: Result<Remembered, Nobody>,
    nonce: Option<&str>,
    optional: &str,
    described: impl FnOnce() -> Result<Value, Failure>,
) -> Result<HttpResponse, Failure> {
    match answer {
        Ok(next) => Ok(HttpResponse::Ok().content_type(ContentType::json()).body(body(&next, nonce))),
        // A page that uses `optional=1` still gets the reason, but without an error in its visitor's
        // console.
        Err(nobody) if optional == "1" => {
            Ok(HttpResponse::NoContent().insert_header((CODE, nobody.code().as_str())).finish())
        }
        Err(nobody) => {
            Err(Failure::SignedOut { nobody, messenger: Some(described()?).filter(|it| !it.is_null()) })
        }
    }
}

/// The header with the code of a response that is not an error.
const CODE: &str = "x-countersign-code";

/// The messenger that the request is about.
#[derive(Deserialize)]
pub struct Which {
    messenger: Option<MessengerId>,
    platform: Option<String>,
}

/// `GET /api/v1/messenger`: what a page needs to show the Messenger to a visitor who is not signed in.
pub async fn messenger(client: Client, query: web::Query<Which>) -> Result<HttpResponse, Failure> {
    let Which { messenger, platform } = query.into_inner();
    let platform = platform.map(|word| read_platform(&word)).transpose()?.flatten();
    let messenger = client.app.messenger(&messenger.unwrap_or_default())?;
    // Every page that shows the Messenger contains these values, so any page may read them; no cookie is
    // needed.
    Ok(HttpResponse::Ok()
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .json(describe(&messenger, platform)))
}

/// The platform that a request names; `web` is not a platform of apps.
pub fn read_platform(word: &str) -> Result<Option<Platform>, Failure> {
    match word {
        "web" => Ok(None),
        _ => Platform::parse(word).map(Some).ok_or_else(|| {
            let words = Platform::WORDS.join(", ");
            Failure::Body(format!("platform: '{word}' is not one of web, {words}."))
        }),
    }
}

/// A token as every route returns it.
pub fn written(
    issued: &Issued,
    subject: TokenSubject,
    messenger: &Messenger,
    platform: Option<Platform>,
) -> Value {
    json!({
        "token": issued.token,
        "expires_at": issued.expires_at,
        "expires_in": issued.expires_in(),
        "refresh_in": issued.refresh_in(),
        "server_time": issued.server_time,
        "subject": subject.as_str(),
        "messenger": describe(messenger, platform),
    })
}

/// What a page or an app needs to show a messenger.
#[derive(Serialize)]
struct Described<'a> {
    id: &'a MessengerId,
    init_script_url: Option<&'a str>,
    deskpro_url: Option<&'a str>,
    messenger_id: Option<&'a str>,
    options: &'a Map<String, Value>,
    anonymous: &'static str,
}

fn describe(messenger: &Messenger, platform: Option<Platform>) -> Described<'_> {
    let place = messenger.place(platform);
    Described {
        id: &messenger.id,
        init_script_url: messenger.deployment.as_ref().map(|deployment| deployment.init_script_url.as_str()),
        deskpro_url: place.map(|(url, _)| url.as_str()),
        messenger_id: place.map(|(_, id)| id),
        options: &messenger.options,
        anonymous: messenger.anonymous.as_str(),
    }
}
