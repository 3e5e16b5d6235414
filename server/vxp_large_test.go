package server

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestVXPLargePacket: a packet of 100 MB goes in and comes out while little of it is ever in memory.
func TestVXPLargePacket(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 200 MB")
	}
	a := newAxis(t, "")
	frame := string(a.packetOf("LARGE-1", "ban-ve.doc", []byte("@"), "H26"))
	head, tail, found := strings.Cut(frame, base64.StdEncoding.EncodeToString([]byte("@")))
	if !found {
		t.Fatal("the packet has no place for its file")
	}
	const size = 75 << 20
	packet := func() io.Reader {
		reader, writer := io.Pipe()
		go func() { // ends with the pipe
			encoder := base64.NewEncoder(base64.StdEncoding, writer)
			_, _ = io.WriteString(writer, head)
			_, err := io.CopyN(encoder, rand.NewChaCha8([32]byte{7}), size)
			_ = encoder.Close()
			_, _ = io.WriteString(writer, tail)
			_ = writer.CloseWithError(err)
		}()
		return reader
	}
	sum := sha256.New()
	length, err := io.Copy(sum, packet())
	check(t, err)
	sender := a.vxp("H29.12")
	sender.set("from", "H29.12", "hash-file", unpaddedHex(sum.Sum(nil)))
	signed := sender.signed()
	request, err := http.NewRequest(http.MethodPost, a.url+"/vxp/sendEdoc", io.MultiReader(packet(), strings.NewReader("\r\n")))
	check(t, err)
	request.ContentLength = length + 2
	request.Header.Set(vxpSignHeader, signed)
	request.Header.Set(vxpHashHeader, fmt.Sprintf("%x", signMap([]byte("secret-H29.12"), signed)))
	var got map[string]any
	most := a.heapWhile(func() {
		response, err := http.DefaultClient.Do(request)
		check(t, err)
		defer func() { _ = response.Body.Close() }()
		check(t, json.NewDecoder(response.Body).Decode(&got))
	})
	if got["ErrorCode"] != "0" {
		t.Fatalf("sendEdoc: %v", got)
	}
	if most > 32<<20 {
		t.Errorf("taking it in cost %d MB of memory", most>>20)
	}
	hub := a.vxp("H26")
	docID := hub.list("edoc")[0]["docId"].(string)
	hub.set("docId", docID)
	signed = hub.signed()
	request, err = http.NewRequest(http.MethodPost, a.url+"/vxp/getEdoc", strings.NewReader("{}"))
	check(t, err)
	request.Header.Set(vxpSignHeader, signed)
	request.Header.Set(vxpHashHeader, fmt.Sprintf("%x", signMap([]byte("secret-H26"), signed)))
	back := sha256.New()
	most = a.heapWhile(func() {
		response, err := http.DefaultClient.Do(request)
		check(t, err)
		defer func() { _ = response.Body.Close() }()
		prefix := make([]byte, len(`{"status":"OK","ErrorCode":"0","ErrorDesc":"Thanh cong","data":"`))
		_, err = io.ReadFull(response.Body, prefix)
		check(t, err)
		body := io.LimitReader(response.Body, response.ContentLength-int64(len(prefix))-2)
		_, err = io.Copy(back, base64.NewDecoder(base64.StdEncoding, body))
		check(t, err)
	})
	if string(back.Sum(nil)) != string(sum.Sum(nil)) {
		t.Error("other bytes came out")
	}
	if most > 32<<20 {
		t.Errorf("giving it out cost %d MB of memory", most>>20)
	}
}

// heapWhile is by how much the heap grew at most while f ran.
func (a *axis) heapWhile(f func()) int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	before, most := int64(stats.HeapAlloc), int64(0)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() { // ends when f has
		defer close(ended)
		look := time.NewTicker(5 * time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-done:
				return
			case <-look.C:
				runtime.ReadMemStats(&stats)
				most = max(most, int64(stats.HeapAlloc)-before)
			}
		}
	}()
	f()
	close(done)
	<-ended
	return most
}
