// The token endpoint as a Go program has it: net/http, golang-jwt, SQLite.
//
// peer ADDRESS DATABASE KEY
package main

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/golang-jwt/jwt"
	_ "github.com/mattn/go-sqlite3"
)

var languages = map[string]string{"en": "1", "de": "2"}
var groups = map[string]string{"gold": "7", "silver": "8"}

type answer struct {
	Token      string `json:"token"`
	ExpiresAt  int64  `json:"expires_at"`
	ExpiresIn  int64  `json:"expires_in"`
	RefreshIn  int64  `json:"refresh_in"`
	ServerTime int64  `json:"server_time"`
}

func main() {
	address, file, key := os.Args[1], os.Args[2], []byte(os.Args[3])
	db, err := sql.Open("sqlite3", "file:"+file+"?mode=ro&_journal_mode=WAL")
	if err != nil {
		log.Fatal(err)
	}
	ofSession, err := db.Prepare("SELECT user_id FROM sessions WHERE id = ? AND ends_at > ?")
	if err != nil {
		log.Fatal(err)
	}
	ofUser, err := db.Prepare(`SELECT email, display_name, first_name, last_name, timezone, language, plan, member_since
		FROM users WHERE id = ?`)
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		now := time.Now().Unix()
		cookie, err := r.Cookie("session")
		if err != nil {
			http.Error(w, "signed out", http.StatusUnauthorized)
			return
		}
		var id int64
		var email, name, first, last, timezone, language, plan, since string
		digest := sha256.Sum256([]byte(cookie.Value))
		err = ofSession.QueryRow(hex.EncodeToString(digest[:]), now).Scan(&id)
		if err == nil {
			row := ofUser.QueryRow(id)
			err = row.Scan(&email, &name, &first, &last, &timezone, &language, &plan, &since)
		}
		switch err {
		case nil:
		case sql.ErrNoRows:
			http.Error(w, "signed out", http.StatusUnauthorized)
			return
		default:
			http.Error(w, "no database", http.StatusServiceUnavailable)
			return
		}
		date := strings.Split(since, "-")
		claims := jwt.MapClaims{
			"email":         email,
			"name":          name,
			"first_name":    first,
			"last_name":     last,
			"timezone":      timezone,
			"language_id":   languages[language],
			"usergroup_ids": []string{groups[plan], "9"},
			"labels":        []string{plan},
			"fields":        map[string]string{"9": date[2] + "." + date[1] + "." + date[0]},
			"iat":           now - 60,
			"exp":           now + 600,
		}
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(key)
		if err != nil {
			http.Error(w, "no token", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "private, no-store")
		json.NewEncoder(w).Encode(answer{token, now + 600, 600, 480, now})
	})
	log.Fatal(http.ListenAndServe(address, nil))
}
