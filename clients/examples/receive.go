// Receives messages as a webhook of the hub: CARILLON_SECRET=… go run receive.go 127.0.0.1:8089
//
// The hub needs to know it, in its config:
//
//	webhook:
//	  clients:
//	    - { name: robot, url: "http://127.0.0.1:8089", secret: the same as in CARILLON_SECRET }
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"
)

type message struct {
	Mid     string
	Message struct{ Text, Desp string }
}

func handle(m message) {
	fmt.Println(m.Message.Text, m.Message.Desp)
}

func main() {
	if len(os.Args) != 2 || os.Getenv("CARILLON_SECRET") == "" {
		log.Fatal("CARILLON_SECRET=… receive.go HOST:PORT")
	}
	key := []byte(os.Getenv("CARILLON_SECRET"))
	last := ""
	// the hub sends one message at a time, so nothing here runs twice at once
	receive := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || !isFromHub(r.Header, body, key) {
			http.Error(w, "not from the hub", http.StatusUnauthorized)
			return
		}
		var packet struct{ Data message }
		if err := json.Unmarshal(body, &packet); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if packet.Data.Mid != last { // one whose answer got lost comes again
			handle(packet.Data)
			last = packet.Data.Mid
		}
		w.WriteHeader(http.StatusNoContent) // the sender reads ok
	}
	log.Fatal(http.ListenAndServe(os.Args[1], http.HandlerFunc(receive)))
}

// isFromHub checks the signature of Standard Webhooks, and that it is not an old one.
func isFromHub(header http.Header, body, key []byte) bool {
	at := header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", header.Get("webhook-id"), at, body)
	signature := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return hmac.Equal([]byte(signature), []byte(header.Get("webhook-signature")))
}
