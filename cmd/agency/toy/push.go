package toy

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxPush bounds a push; the axis promises at most 10 kB.
const maxPush = 64 << 10

// SignPush gives the value of Truc-Signature for a body pushed at a time (Unix seconds, as in Truc-Timestamp).
func SignPush(secret, timestamp string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	io.WriteString(m, timestamp+".") // a hash never fails
	m.Write(body)
	return "v1=" + hex.EncodeToString(m.Sum(nil))
}

// CheckPush says whether a push comes from someone who knows the secret, and is not older or newer than skew (below
// 0: any age). The header may hold several signatures, separated by commas, while a secret is being changed.
func CheckPush(secret string, h http.Header, body []byte, now time.Time, skew time.Duration) bool {
	stamp := h.Get("Truc-Timestamp")
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return false
	}
	if age := now.Sub(time.Unix(unix, 0)).Abs(); skew >= 0 && age > skew {
		return false
	}
	want := []byte(SignPush(secret, stamp, body))
	for given := range strings.SplitSeq(h.Get("Truc-Signature"), ",") {
		if hmac.Equal([]byte(strings.TrimSpace(given)), want) {
			return true
		}
	}
	return false
}

// ServeHTTP is the webhook: it checks the signature, keeps the item and answers {"taken": hash of the package}; with
// Hub.Later it answers 202 at once and takes the item afterwards. Serve it through a door with the hub's own dial.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.init()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPush))
	if err != nil {
		http.Error(w, "too much, or not all", http.StatusRequestEntityTooLarge)
		return
	}
	skew := h.Skew
	if skew == 0 {
		skew = 5 * time.Minute
	}
	if r.Method != http.MethodPost || !CheckPush(h.Client.Secret, r.Header, body, h.now(), skew) {
		h.log().Warn("push without a right signature", "from", r.RemoteAddr)
		http.Error(w, "signature", http.StatusUnauthorized)
		return
	}
	var it Item
	if err := json.Unmarshal(body, &it); err != nil || it.Item == "" || it.Kind == ItemDispatch && it.Delivery == "" {
		http.Error(w, "no item", http.StatusBadRequest)
		return
	}
	h.pushed(w, r, it)
}

func (h *Hub) pushed(w http.ResponseWriter, r *http.Request, it Item) {
	switch {
	case it.Kind != ItemDispatch:
		if err := h.Log.hear(it); err != nil {
			http.Error(w, "log", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	case h.Later:
		h.tasks.add(func(ctx context.Context) { h.takeLater(ctx, it) })
		w.WriteHeader(http.StatusAccepted)
	default:
		h.takeNow(w, r, it)
	}
}

func (h *Hub) takeNow(w http.ResponseWriter, r *http.Request, it Item) {
	defer h.tasks.begin()()
	kept, err := h.keep(r.Context(), it)
	if err != nil {
		h.log().Warn("push not kept", "delivery", it.Delivery, "error", err)
		http.Error(w, "not kept", http.StatusServiceUnavailable)
		return
	}
	h.answerSoon(kept)
	sum := kept.Package
	if sum == "" { // SharePackage: its bytes were not read; the push itself says what they should be
		sum = it.Package.SHA256
	}
	answer := fmt.Sprintf(`{"taken":%q}`, sum)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	_, err = io.WriteString(w, answer)
	if flusher, ok := w.(http.Flusher); ok { // the answer is out before this item counts as done
		flusher.Flush()
	}
	if err != nil {
		h.log().Info("answer to a push not sent", "delivery", it.Delivery, "error", err)
	}
}

// takeLater takes what was only told so far. If it never succeeds the axis tells it again after five minutes.
func (h *Hub) takeLater(ctx context.Context, it Item) {
	if h.up(ctx) != nil {
		return
	}
	if _, err := h.Patience.try(ctx, func() error { return h.take(ctx, it, false) }); err != nil {
		h.log().Warn("pushed delivery not taken", "delivery", it.Delivery, "error", err)
	}
}
