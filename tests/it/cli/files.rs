//! `user import` and `user export`.

use serde_json::json;

use super::{PASSWORD, Shell, names};

#[test]
fn an_import_says_what_became_of_each_row_on_standard_output_and_in_a_report() {
    let shell = Shell::new();
    shell.done(&["user", "list"]);
    shell.file("users.csv", "login,email,plan\nana,ana@example.com,gold\n\"b, b\",,\n");
    let said = shell.run(&["user", "import", "users.csv", "--report", "report.csv"]);
    assert_eq!(
        (said.status, said.out.as_str(), said.err.as_str()),
        (
            0,
            "2 added, 0 changed, 0 unchanged, 0 skipped\n",
            "1 user of this file gets no token: no_identifier (b, b). `countersign token issue LOGIN` says why.\n\
             1 user of this file gets no token: unverified (ana). `countersign token issue LOGIN` says why. If your website has verified the addresses, import again with --email-verified.\n\
             'plan' is a new attribute.\n"
        )
    );
    let report = std::fs::read_to_string(shell.folder.path().join("report.csv")).expect("the report");
    assert_eq!(report, "row,line,login,action,message\n1,2,ana,added,\n2,3,\"b, b\",added,\n");
    shell.file("users.csv", "login,plan\nana,\n\"b, b\",\nnew,gold\n");
    let lines = shell.json(&["user", "import", "users.csv"]);
    let actions: Vec<_> = lines[..3].iter().map(|line| line["action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["changed", "unchanged", "added"]);
    assert_eq!(
        lines[0],
        json!({"row": 1, "line": 2, "login": "ana", "action": "changed", "message": null, "no_token": "unverified"})
    );
    assert_eq!(lines[3]["totals"], json!({"added": 1, "changed": 1, "unchanged": 1, "skipped": 0}));
    let notes = lines[3]["notes"].to_string();
    assert!(
        notes.contains("2 users of this file get no token: no_identifier (the first is b, b)"),
        "{notes}"
    );
}

#[test]
fn a_refused_file_names_its_errors_on_standard_error_in_the_report_and_as_json() {
    let shell = Shell::new();
    shell.done(&["user", "list"]);
    shell.file("users.csv", "login,email,pwd\nana,ana\nbob,\u{1b}[2J,x\n");
    let expected = [
        "header, line 1, pwd: Passwords, hashes and other secrets must not be attributes. Remove the column.",
        "row 1, line 2: 2 columns, but the header names 3. Add the missing values. A blank value needs its separator, too.",
        "row 2, line 3, email: '[U+001B][2J' is not an email address of the form name@example.com. \
         Character 1 is U+001B, which cannot be seen. Remove it.",
    ];
    let said = shell.run(&["user", "import", "users.csv", "--report", "report.csv"]);
    assert_eq!((said.status, said.out.as_str()), (1, ""));
    assert_eq!(
        said.err,
        format!("The file has errors. Nothing was imported:\n  {}\n", expected.join("\n  "))
    );
    let report = std::fs::read_to_string(shell.folder.path().join("report.csv")).expect("the report");
    let message = |line: &str| line.split_once(": ").expect("a place").1.to_owned();
    assert_eq!(
        report,
        format!(
            "row,line,column,message\n0,1,pwd,\"{}\"\n1,2,,\"{}\"\n2,3,email,\"{}\"\n",
            message(expected[0]),
            message(expected[1]),
            message(expected[2])
        )
    );
    let said = shell.run(&["user", "import", "users.csv", "--json", "--report", "again.txt"]);
    assert_eq!((said.status, said.err.as_str()), (1, ""));
    let errors = said.json();
    assert_eq!(
        errors[1],
        json!({"error": {"row": 1, "line": 2, "column": null, "message": expected[1].split_once(": ").expect("a place").1}})
    );
    assert_eq!((errors.len(), names(&errors[0])), (3, vec!["error"]));
    assert_eq!(std::fs::read_to_string(shell.folder.path().join("again.txt")).expect("the report"), report);
    assert!(shell.json(&["user", "list"]).is_empty());
    assert!(shell.refused(&["user", "import", "none.csv"]).contains("none.csv cannot be read"));
}

#[test]
fn ids_of_deskpro_s_people_need_their_flag() {
    let shell = Shell::new();
    shell.file("ids.csv", "login,deskpro_id\nana,42\n");
    assert!(shell.refused(&["user", "import", "ids.csv"]).contains("Allow it with --deskpro-id"));
    shell.done(&["user", "import", "ids.csv", "--deskpro-id"]);
    assert_eq!(shell.json(&["user", "list"])[0]["attributes"]["deskpro_id"], "42");
}

#[test]
fn an_export_runs_nothing_in_a_spreadsheet_and_holds_no_hash() {
    let shell = Shell::new();
    shell.done(&["attribute", "set", "+cmd"]);
    shell.done(&["attribute", "set", "tags", "--type", "list"]);
    let texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "＋1", "－1", "＠x", "\tx"];
    for (number, text) in texts.iter().enumerate() {
        shell.done(&["user", "add", &format!("u{number:02}"), "--set", &format!("+cmd={text}")]);
    }
    shell.done(&["user", "set", "u00", "tags=[\"a, b\", 1]", "display_name=say \"hi\"\nthere"]);
    assert_eq!(shell.typed(&["user", "set-password", "u00"], PASSWORD).status, 0);
    let said = shell.done(&["user", "export"]);
    let header = "login,external_id,email,email_verified,display_name,first_name,last_name,language,timezone,deskpro_id,'+cmd,tags{list},{state}\n";
    assert!(said.starts_with(header), "{said}");
    assert!(!said.contains("argon2") && !said.contains('$'), "{said}");
    assert!(said.contains("u00,,,,\"say \"\"hi\"\"\nthere\",,,,,,'=1+1,\"[\"\"a, b\"\",1]\",\n"), "{said}");
    for text in texts {
        assert!(said.contains(&format!("'{text}")), "{text:?}\n{said}");
        assert!(
            !said.contains(&format!(",{text}")) && !said.contains(&format!(",\"{text}")),
            "{text:?}\n{said}"
        );
    }
    let raw = shell.done(&["user", "export", "--raw"]);
    assert!(raw.contains(",=1+1,") && !raw.contains("'="), "{raw}");
    assert_eq!(shell.json(&["user", "export"]), shell.json(&["user", "list"]));
}

#[test]
fn a_raw_export_is_taken_in_again_unchanged() {
    let shell = Shell::new();
    shell.done(&["attribute", "set", "tags", "--type", "list"]);
    shell.done(&["attribute", "set", "limit", "--type", "number"]);
    shell.file("users.csv", "login,email,email_verified,deskpro_id,tags,limit,notes\nana,ana@example.com,yes,42,\"[\"\"a, b\"\",true]\",-2500.50,\"  two\n\"\"lines\"\" \"\nbob,,,,,,'=1\n");
    shell.done(&["user", "import", "users.csv", "--deskpro-id"]);
    shell.file("export.csv", shell.done(&["user", "export", "--raw"]));
    let said = shell.done(&["user", "import", "export.csv", "--deskpro-id"]);
    assert_eq!(said, "0 added, 0 changed, 2 unchanged, 0 skipped\n");
}

#[test]
fn an_import_says_which_attributes_it_made_and_which_proofs_prove_nothing() {
    let shell = Shell::new();
    shell.done(&["user", "list"]);
    shell.file(
        "users.csv",
        "login,emial,email,email_verified\nana,x,ana@example.com,WAHR\nbob,y,bob@example.com,FALSCH\n",
    );
    let said = shell.run(&["user", "import", "users.csv"]);
    assert_eq!(said.status, 0);
    assert_eq!(
        said.err,
        "2 users of this file get no token: unverified (the first is ana). `countersign token issue LOGIN` says why. If your website has verified the addresses, import again with --email-verified.\n\
         'emial' is a new attribute. Did you mean 'email'?\n\
         email_verified: 2 cells are neither yes nor no, so the address is not verified: 'FALSCH' (1), 'WAHR' (1). \
         Write yes or no (true, false, 1, 0); if a time means yes, import with --yes-when-set email_verified.\n"
    );
    let lines = shell.json(&["user", "import", "users.csv"]);
    assert_eq!(lines[2]["notes"].as_array().map(Vec::len), Some(2), "{lines:?}");
    let refused = shell.refused(&["user", "set", "ana", "email_verified=WAHR"]);
    assert!(refused.contains("'WAHR' is neither yes nor no. Write yes or no"), "{refused}");
}

#[test]
fn a_file_with_more_columns_than_attributes_can_be_is_refused_at_once() {
    let shell = Shell::new();
    let names: Vec<String> = (0..20_000).map(|i| format!("k{i}")).collect();
    shell.file("wide.csv", format!("login,{}\n", names.join(",")));
    let refused = shell.refused(&["user", "import", "wide.csv"]);
    assert!(refused.contains("header, line 1: The header names 20001 columns."), "{refused}");
}

#[test]
fn a_report_runs_nothing_in_a_spreadsheet() {
    let shell = Shell::new();
    shell.done(&["user", "list"]);
    shell.file("users.csv", "login,email\n\"=HYPERLINK(\"\"http://x.example\"\",\"\"a\"\")\",a@example.com\n+49123,b@example.com\n@ben,c@example.com\n");
    shell.done(&["user", "import", "users.csv", "--report", "report.csv"]);
    let report = std::fs::read_to_string(shell.folder.path().join("report.csv")).expect("the report");
    assert_eq!(
        report,
        "row,line,login,action,message\n1,2,\"'=hyperlink(\"\"http://x.example\"\",\"\"a\"\")\",added,\n2,3,'+49123,added,\n3,4,'@ben,added,\n"
    );
    let refused = shell.refused(&["user", "import", "users.csv", "--report", "./users.csv"]);
    assert!(refused.contains("Name another file"), "{refused}");
    assert_eq!(shell.done(&["user", "import", "users.csv"]), "0 added, 0 changed, 3 unchanged, 0 skipped\n");
}

#[test]
fn rows_that_are_set_aside_are_counted_told_and_kept_in_a_new_file() {
    let shell = Shell::new();
    shell.done(&["user", "list"]);
    let rows: String = (0..8).map(|i| format!("u{i},u{i}@\n")).collect();
    shell.file("users.csv", format!("login,email\nana,ana@example.com\n{rows}"));
    let said =
        shell.run(&["user", "import", "users.csv", "--set-aside", "aside.csv", "--report", "report.csv"]);
    assert_eq!(
        (said.status, said.out.as_str()),
        (1, "1 added, 0 changed, 0 unchanged, 0 skipped, 8 set aside in aside.csv\n")
    );
    assert_eq!(said.err.lines().count(), 6, "{}", said.err);
    assert!(
        said.err.contains("\nset aside: row 2, line 3, email: 'u0@' is not an email address"),
        "{}",
        said.err
    );
    assert!(said.err.contains("and 3 more rows have the same error: lines 8, 9, 10."), "{}", said.err);
    let read = |name: &str| std::fs::read_to_string(shell.folder.path().join(name)).expect(name);
    assert_eq!(read("aside.csv").lines().count(), 9);
    assert!(read("report.csv").contains("2,3,u0,set_aside,"), "{}", read("report.csv"));
    // Rows of an earlier import are not lost, and an empty file does not stay.
    let refused = shell.refused(&["user", "import", "users.csv", "--set-aside", "aside.csv"]);
    assert!(refused.contains("the file already exists"), "{refused}");
    shell.file("good.csv", "login\nben\n");
    shell.done(&["user", "import", "good.csv", "--set-aside", "none.csv"]);
    shell.refused(&[
        "user",
        "import",
        "users.csv",
        "--nothing",
        "x",
        "--yes-when-set",
        "y",
        "--set-aside",
        "none.csv",
    ]);
    assert!(!shell.folder.path().join("none.csv").exists());
    let lines = shell.run(&["user", "import", "users.csv", "--set-aside", "more.csv", "--json"]).json();
    assert_eq!(lines.last().expect("totals")["totals"]["set_aside"], 8);
    assert_eq!((&lines[0]["action"], &lines[1]["action"]), (&"unchanged".into(), &"set_aside".into()));
}

#[test]
fn a_report_is_in_the_order_of_the_file_whatever_was_written_first() {
    let shell = Shell::new();
    shell.file(
        "users.csv",
        "external_id,login,email\n1,ana,a@example.com\n2,ben,b@example.com\n3,cy,c@example.com\n",
    );
    shell.done(&["user", "import", "users.csv"]);
    // Ana and Ben swap their logins, which is written before the other rows.
    let rows = "3,cy,cy@example.com\n4,dov,dov@\n1,ben,a@example.com\n5,eve,e@example.com\n2,ana,b@example.com\n6,fay,f@\n7\n";
    shell.file("users.csv", format!("external_id,login,email\n{rows}"));
    shell.run(&["user", "import", "users.csv", "--set-aside", "aside.csv", "--report", "report.csv"]);
    let report = std::fs::read_to_string(shell.folder.path().join("report.csv")).expect("a report");
    let rows: Vec<String> =
        report.lines().skip(1).map(|line| line.split(',').take(4).collect::<Vec<_>>().join(",")).collect();
    assert_eq!(
        rows,
        [
            "1,2,cy,changed",
            "2,3,dov,set_aside",
            "3,4,ben,changed",
            "4,5,eve,added",
            "5,6,ana,changed",
            "6,7,fay,set_aside",
            "7,8,,set_aside",
        ]
    );
}

#[test]
fn a_file_comes_from_standard_input_too() {
    let shell = Shell::new();
    let said =
        shell.typed(&["user", "import", "-", "--nothing", "-,--"], "login;plan\nana;-\nben;gold\ncy;--\n");
    assert_eq!(
        (said.status, said.out.as_str()),
        (0, "3 added, 0 changed, 0 unchanged, 0 skipped\n"),
        "{said:?}"
    );
    let users = shell.json(&["user", "list"]);
    let plans: Vec<_> = users.iter().filter_map(|user| user["attributes"]["plan"].as_str()).collect();
    assert_eq!(plans, ["gold"]);
}

#[test]
fn rows_that_are_set_aside_are_written_like_the_file_and_noticed_nowhere_else() {
    let shell = Shell::new();
    shell.file("users.csv", "\u{feff}login;email;plan\nana;ana@example.com;gold\njör;jör@;none;\n");
    let said = shell.run(&["user", "import", "users.csv", "--set-aside", "aside.csv"]);
    assert!(said.out.starts_with("1 added") && !said.err.contains("no value"), "{said:?}");
    let aside = std::fs::read_to_string(shell.folder.path().join("aside.csv")).expect("a file");
    assert!(
        aside.starts_with("\u{feff}login;email;plan;{reason}\njör;jör@;none;\"email: 'jör@' is not"),
        "{aside}"
    );
    shell.file("aside.csv", aside.replace("jör@;", "jo@example.com;"));
    let said = shell.run(&["user", "import", "aside.csv"]);
    assert!(said.out.starts_with("1 added") && said.err.contains("plan 'none' (1 cell)"), "{said:?}");
}

#[test]
fn a_header_with_errors_says_that_the_rows_come_later() {
    let shell = Shell::new();
    shell.file("users.csv", "Kundennummer,E-Mail\n7,ana@\n");
    let said = shell.refused(&["user", "import", "users.csv"]);
    assert!(
        said.contains("Kundennummer: This would be a new attribute. Did you mean 'external_id'?"),
        "{said}"
    );
    assert!(said.ends_with("The rows are checked when the header is right.\n"), "{said}");
    shell.file("users.csv", "external_id,email\n7,ana@\n");
    assert!(!shell.refused(&["user", "import", "users.csv"]).contains("The rows"));
}
