// Sends a message and says how far it got: CARILLON_TOKEN=… go run send.go NAME TEXT
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

type message struct {
	Text string `json:"text"`
	Desp string `json:"desp,omitempty"`
}

type push struct {
	SendType string  `json:"sendType"` // personal or group
	Target   string  `json:"target"`
	Message  message `json:"message"`
}

// states tells how far a push got with each name: "ok" is a program that has the message.
type states map[string]string

var client = http.Client{Timeout: 30 * time.Second}

// send may be called again with the same key: it stays one message.
func send(url, token, key string, data push) (states, error) {
	body, err := json.Marshal(map[string]any{"cmd": "MESSAGE", "data": data})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("authorization", "Bearer "+token)
	request.Header.Set("content-type", "application/json")
	request.Header.Set("idempotency-key", key)

	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", answer.Status, answer.Header.Get("x-error"))
	}
	var reply struct{ Data states }
	err = json.NewDecoder(answer.Body).Decode(&reply)
	return reply.Data, err
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("send.go NAME TEXT")
	}
	url := os.Getenv("CARILLON_URL")
	if url == "" {
		url = "http://127.0.0.1:9093"
	}
	key := make([]byte, 16)
	if _, err := rand.Read(key); err != nil {
		log.Fatal(err)
	}
	reached, err := send(url, os.Getenv("CARILLON_TOKEN"), fmt.Sprintf("%x", key), push{
		SendType: "personal",
		Target:   os.Args[1],
		Message:  message{Text: os.Args[2]},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reached) // map[me:ok]
}
