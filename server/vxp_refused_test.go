package server

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestVXPLargeRefused: Java's HttpURLConnection reads no answer before it has written its whole packet, so that a refusal
// reaches it only when the packet is read to its end, however large. The connection is good for the next call then.
func TestVXPLargeRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 80 MB")
	}
	t.Parallel()
	a := newAxis(t, "")
	head, _, _ := strings.Cut(string(a.packetOf("LARGE-2", "ban-ve.doc", []byte("@"), "H99")), "</edXML>")
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	check(t, err)
	defer func() { _ = conn.Close() }()
	check(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	answers := bufio.NewReader(conn)
	const piece, pieces = 1 << 20, drainBytes>>20 + 16
	for range 2 {
		sender := a.vxp("H29.12")
		sender.set("from", "H29.12", "hash-file", strings.Repeat("0", 64))
		signed := sender.signed()
		_, err = fmt.Fprintf(conn, "POST /vxp/sendEdoc HTTP/1.1\r\nHost: truc\r\n%s: %s\r\n%s: %x\r\nContent-Length: %d\r\n\r\n%s",
			vxpSignHeader, signed, vxpHashHeader, signMap([]byte("secret-H29.12"), signed), len(head)+pieces*piece, head)
		check(t, err)
		blanks := []byte(strings.Repeat(" ", piece))
		for i := range pieces {
			if _, err := conn.Write(blanks); err != nil {
				t.Fatalf("cut off after %d MB: %v", i, err)
			}
		}
		response, err := http.ReadResponse(answers, nil)
		check(t, err)
		var got map[string]any
		check(t, json.NewDecoder(response.Body).Decode(&got))
		if got["ErrorCode"] != "18" || got["DocId"] != "" || response.Close {
			t.Fatalf("got %v, close %v", got, response.Close)
		}
	}
}
