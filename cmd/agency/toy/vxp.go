package toy

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// vietnam is the zone in which an agency's machine runs.
var vietnam = time.FixedZone("+07:00", 7*60*60)

// VXP is a client that behaves on the wire as VNPT's Java SDK 2.0.1 does, its oddities included: this is how thousands
// of systems speak to the axis. It is safe for concurrent use, which the SDK is not. Its errors are a [*Problem] when
// the axis said FAIL, else what went wrong on the way, as with [Client].
//
// Where the SDK hides a fault of the other side (it takes a web page for an empty list, and a non-ASCII answer of
// sendEdoc for question marks), this client makes it an error: a toy is there to find it.
type VXP struct {
	Endpoint string // a plain prefix of every path, for example "https://truc.example/vxp"
	System   string
	Secret   string
	Dialect  Dialect // nothing: the Java SDK 2.0.1
	HTTP     *http.Client
	Quiet    time.Duration // as in Client; 0 is one minute. The SDK waits for ever

	documents, agencies service // KnobstickServiceImp, AgencyServiceImp
}

// Dialect is what clients in the field do otherwise than the Java SDK.
type Dialect struct {
	Padded    bool // hash-file with all its 64 digits
	Base64    bool // sendEdoc's file is the packet as base64 text, and the hash is of that text (EXT)
	DocID     bool // updateStatus names the packet by docid, getEdoc by docId (BKAV)
	LowerCase bool // servicetype is "edoc" (C#)
	UTF8      bool // text beyond ASCII goes as UTF-8 in every call; the SDK's pooled calls send each letter's low byte
	To        bool // sendEdoc names the recipients in a header too
}

// ParseDialect reads words such as "padded" and "docid".
func ParseDialect(words ...string) (Dialect, error) {
	var d Dialect
	for _, w := range words {
		switch w {
		case "padded":
			d.Padded = true
		case "base64":
			d.Base64 = true
		case "docid":
			d.DocID = true
		case "lower":
			d.LowerCase = true
		case "utf8":
			d.UTF8 = true
		case "to":
			d.To = true
		default:
			return Dialect{}, fmt.Errorf("unknown dialect %q; there are padded, base64, docid, lower, utf8, to", w)
		}
	}
	return d, nil
}

// NewVXP makes a client with connections of its own. Close it at the end. What it calls its timestamp is the time of
// this moment, and stays so for as long as it lives.
func NewVXP(endpoint, system, secret string) *VXP {
	c := NewClient(endpoint, system, secret)
	c.HTTP.Transport.(*http.Transport).MaxConnsPerHost = 10 // the SDK's pool
	v := &VXP{Endpoint: c.Base, System: system, Secret: secret, HTTP: c.HTTP}
	stamp := vxpStamp(time.Now())
	for _, s := range []*service{&v.documents, &v.agencies} {
		s.kept.put("systemid", system)
		s.kept.put("timestamp", stamp)
	}
	return v
}

// Close gives back idle connections. Calls in flight go on.
func (v *VXP) Close() { v.HTTP.CloseIdleConnections() }

// vxpStamp has milliseconds in the place where its form promises a zone.
func vxpStamp(t time.Time) string {
	t = t.In(vietnam)
	return t.Format("02012006T150405") + fmt.Sprintf("+%04d", t.Nanosecond()/1e6)
}

// service is one service object of the SDK: what was ever put into its map goes along with every later call.
type service struct {
	mu   sync.Mutex
	kept javaMap
}

// field is one entry of a call's jsonHeaders.
type field struct{ key, value string }

// vxpCall is one call to be made.
type vxpCall struct {
	service *service
	method  string // "" is POST
	path    string
	media   string // "" is application/json
	fields  []field
	body    []byte
	expect  bool // Expect: 100-continue
	upload  bool // by HttpURLConnection and not by the Apache client
}

// header puts the call's fields into the map and signs the whole map.
func (s *service) header(secret string, dialect Dialect, k vxpCall) (http.Header, error) {
	media := k.media
	if media == "" {
		media = "application/json"
	}
	encode := lowBytes
	if k.upload || dialect.UTF8 {
		encode = func(s string) string { return s }
	}
	for _, f := range k.fields {
		if v := encode(f.value); strings.ContainsFunc(v, control) {
			return nil, &LocalError{Name: k.path, Err: fmt.Errorf("%s: %q has letters that no HTTP header can carry", f.key, f.value)}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range append(k.fields, field{"Content-Type", media}) {
		s.kept.put(f.key, f.value)
	}
	keys := s.kept.keys()
	sign := s.kept.sign(keys)
	h := http.Header{
		"Content-Type":              {media},
		"XroadVnpt-sign-header-key": {strings.Join(keys, ";")},
		"XroadVnpt-sign-header":     {encode(sign)},
		"XroadVnpt-hash-header":     {vxpHash(secret, sign)},
		"XroadVnpt-version":         {"3.0.201608"},
		"User-Agent":                {"JAVASDKAgent/1.0.0 XRoad/VPCP"},
	}
	for _, key := range keys {
		h["XroadVnpt-"+key] = []string{encode(s.kept.value(key))} // two spellings of docId stay two headers
	}
	k.transportHeader(h)
	return h, nil
}

// transportHeader adds what the HTTP library below the SDK adds.
func (k vxpCall) transportHeader(h http.Header) {
	if k.upload {
		h["Cache-Control"], h["Pragma"] = []string{"no-cache"}, []string{"no-cache"}
		h["Accept"] = []string{"text/html, image/gif, image/jpeg, */*; q=0.2"}
		h["Connection"] = []string{"keep-alive"}
		return
	}
	h["Accept-Encoding"], h["Connection"] = []string{"gzip,deflate"}, []string{"Keep-Alive"}
	if k.expect {
		h["Expect"] = []string{"100-continue"}
	}
}

// vxpHash is what vouches for a sign-header.
func vxpHash(secret, sign string) string {
	m := hmac.New(sha256.New, []byte(secret))
	io.WriteString(m, sign) // a hash never fails
	return hex.EncodeToString(m.Sum(nil))
}

// lowBytes is what the Apache client makes of a header's text: the low byte of each UTF-16 unit. "ê" comes out as
// Latin-1, "đ" as a control character, "ế" as something arbitrary.
func lowBytes(s string) string {
	b := make([]byte, 0, len(s))
	for _, u := range utf16Units(s) {
		b = append(b, byte(u))
	}
	return string(b)
}

// control is asked of bytes seen as text: what is not UTF-8 is U+FFFD, which a header can carry.
func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// maxVXP bounds an answer: base64 of a packet of 100 MB, and 125,000 agencies, stay far below.
const maxVXP = 512 << 20

// do makes the call and gives the whole answer, whatever its HTTP status is: the SDK does not look at it.
func (v *VXP) do(ctx context.Context, k vxpCall) (*http.Response, []byte, error) {
	quiet := v.Quiet
	if quiet <= 0 {
		quiet = time.Minute
	}
	ctx, watch := newWatch(ctx, quiet)
	defer watch.stop()
	req, err := v.request(ctx, k, watch)
	if err != nil {
		return nil, nil, err
	}
	res, err := v.HTTP.Do(req)
	if err != nil {
		return nil, nil, watch.explain(err)
	}
	body := &watched{ReadCloser: res.Body, watch: watch, last: true}
	defer body.Close()
	b, err := readAnswer(body, res.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, nil, fmt.Errorf("read answer of %s: %w", k.path, err)
	}
	return res, b, nil
}

func (v *VXP) request(ctx context.Context, k vxpCall, w *watch) (*http.Request, error) {
	h, err := k.service.header(v.Secret, v.Dialect, k)
	if err != nil {
		return nil, err
	}
	method := k.method
	if method == "" {
		method = http.MethodPost
	}
	var body io.Reader = http.NoBody
	if len(k.body) > 0 {
		body = &watched{ReadCloser: io.NopCloser(bytes.NewReader(k.body)), watch: w}
	}
	req, err := http.NewRequestWithContext(ctx, method, v.Endpoint+k.path, body)
	if err != nil {
		return nil, &LocalError{Name: method + " " + k.path, Err: err}
	}
	req.ContentLength, req.Header = int64(len(k.body)), h
	return req, nil
}

func readAnswer(body io.Reader, encoding string) ([]byte, error) {
	switch encoding {
	case "", "identity":
	case "gzip":
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = unzipped
	default:
		return nil, fmt.Errorf("%w: content encoding %s", ErrUnreadable, encoding)
	}
	b, err := io.ReadAll(io.LimitReader(body, maxVXP+1))
	if err == nil && len(b) > maxVXP {
		err = fmt.Errorf("%w: more than %d bytes", ErrUnreadable, maxVXP)
	}
	return b, err
}
