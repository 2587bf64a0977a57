//! What other systems call our built-in attributes, in the exports and interfaces of `WordPress`, Shopify,
//! Auth0, Cognito, Firebase, Azure, Google, `HubSpot`, Mailchimp, Discourse, Stripe, LDAP, Laravel and
//! Devise. A name is never replaced automatically: the user is asked.

/// Names by the attribute they mean, reduced to letters and digits and in lowercase.
const ALIASES: [(&str, &[&str]); 10] = [
    (
        "external_id",
        &[
            "id",
            "userid",
            "uid",
            "uuid",
            "guid",
            "sub",
            "customerid",
            "recordid",
            "contactid",
            "memberid",
            "accountid",
            "objectid",
            "localid",
            "externaluserid",
            "userguid",
            "personid",
            "clientid",
            "remoteid",
            "customernumber",
            "customerno",
            "clientnumber",
            "kundennummer",
            "kundennr",
            "kundenid",
            "nutzerid",
            "benutzerid",
            "klantnummer",
            "numérodeclient",
            "numerodeclient",
            "númerodecliente",
            "numerodecliente",
            "idcliente",
        ],
    ),
    (
        "login",
        &[
            "username",
            "userlogin",
            "loginname",
            "userprincipalname",
            "samaccountname",
            "cognitousername",
            "accountname",
            "logonname",
            "screenname",
            "handle",
            "user",
            "benutzername",
            "userprincipalnamerequired",
            "usernameuserprincipalnamerequired",
        ],
    ),
    (
        "email",
        &[
            "emailaddress",
            "useremail",
            "mail",
            "primaryemail",
            "email1value",
            "customeremail",
            "contactemail",
            "workemail",
            "emailaddr",
            "mailaddress",
            "useremailaddress",
            "emailaddress1",
            "emails",
            "email1",
            "emailaddressrequired",
            "primaryemailaddress",
            "mailadresse",
            "emailadresse",
            "adressemail",
            "correoelectrónico",
            "correo",
        ],
    ),
    (
        "email_verified",
        &[
            "emailverifiedat",
            "verifiedemail",
            "isemailverified",
            "emailconfirmed",
            "emailconfirmedat",
            "confirmedat",
            "useremailverified",
            "emailisverified",
            "emailverificationtime",
            "emailvalidated",
        ],
    ),
    (
        "display_name",
        &["name", "fullname", "nicename", "publicname", "usernicename", "namedisplaynamerequired"],
    ),
    ("first_name", &["givenname", "forename", "fname", "first", "vorname", "prenom", "prénom", "nombre"]),
    ("last_name", &["familyname", "surname", "sn", "lname", "last", "nachname", "apellido", "apellidos"]),
    (
        "language",
        &["locale", "lang", "preferredlanguage", "languagecode", "preferredlocale", "userlocale", "idioma"],
    ),
    ("timezone", &["zoneinfo", "tz", "timezoneid", "timezonename", "usertimezone", "zeitzone"]),
    ("deskpro_id", &["deskpropersonid", "deskprouserid"]),
];

fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The built-in attribute that a column of another system means, if it is known.
pub fn built_in(name: &str) -> Option<&'static str> {
    let bare_name = bare(name);
    let is_it =
        |(known, names): &&(&str, &[&str])| bare(known) == bare_name || names.contains(&bare_name.as_str());
    ALIASES.iter().find(is_it).map(|(known, _)| *known)
}

/// Whether a column, under any of its names, identifies a user.
pub fn is_key(name: &str) -> bool {
    matches!(built_in(name), Some("external_id" | "login" | "email"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_well_known_exports_are_known() {
        let check = |name: &str, known: Option<&str>| assert_eq!(built_in(name), known, "{name}");
        for (name, known) in [
            ("given_name", "first_name"),
            ("First Name", "first_name"),
            ("Family Name", "last_name"),
            ("user_email", "email"),
            ("mail", "email"),
            ("e-mail", "email"),
            ("E-mail 1 - Value", "email"),
            ("Email Address", "email"),
            ("username", "login"),
            ("user_login", "login"),
            ("cognito:username", "login"),
            ("ID", "external_id"),
            ("_id", "external_id"),
            ("Customer ID", "external_id"),
            ("Record ID", "external_id"),
            ("zoneinfo", "timezone"),
            ("Email Verified", "email_verified"),
            ("email_verified_at", "email_verified"),
            ("name", "display_name"),
        ] {
            check(name, Some(known));
        }
        for name in ["plan", "phone", "company", "Tags", "roles", "created_at", "title"] {
            check(name, None);
        }
    }
}
