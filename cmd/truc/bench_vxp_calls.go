package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// packets makes many different packets of one: another recipient, document id and case of the signature's digits (see
// variants) in each, so that neither packet nor file was ever stored before.
type packets struct {
	head, mid, body, tail []byte // before the recipient, the id, the digits; behind them
	digits                *variants
	made                  atomic.Int64
	size                  int // bytes of a packet
}

// packet is one of them, in pieces that share most of their bytes with all others.
type packet struct {
	number int64
	pieces [][]byte
	size   int
	hash   string // hash-file
}

// The places of what differs, with the lengths of what stands there.
const (
	placeTo = "@to@"
	placeID = "@id@"
)

// newPackets makes the packet: of about so many bytes, most of them one signed PDF in base64.
func newPackets(pki *testpki.PKI, size int) (*packets, error) {
	v, err := newVariants(pki, size*3/4)
	if err != nil {
		return nil, err
	}
	// Base64 takes three bytes at a time: the digits that differ begin and end with such a group.
	skip := (3 - len(v.head)%3) % 3
	some := (len(v.hex) - skip) / 3 * 3
	pdf := slices.Concat(v.head, v.hex, v.tail)
	v.head, v.hex, v.tail = pdf[:len(v.head)+skip], pdf[len(v.head)+skip:][:some], pdf[len(v.head)+skip+some:]
	doc := edxml.Document{From: edxml.Organization{ID: "H29.12", Name: "Sở Y tế (TEST)"}, To: []edxml.Organization{{ID: placeTo, Name: "Nơi nhận (TEST)"}},
		ID: placeID, Number: "123", Notation: "SYT-VP", PromulgationDate: edxml.Day(pki.Now()), Place: "TEST", Type: edxml.DocumentType{Type: 2, Name: "Công văn"},
		Subject: "Văn bản đo tốc độ qua giao diện VXP (TEST)", Attachments: []edxml.Attachment{{Name: "van-ban.pdf", MimeType: "application/pdf"}}}
	var text bytes.Buffer
	if err := edxml.Write(&text, doc, func(int) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(pdf)), nil }); err != nil {
		return nil, err
	}
	p := &packets{digits: v}
	head, rest, ok := bytes.Cut(text.Bytes(), []byte(placeTo))
	mid, rest, ok2 := bytes.Cut(rest, []byte(placeID))
	at := bytes.Index(rest, []byte(base64.StdEncoding.EncodeToString(pdf)))
	if !ok || !ok2 || at < 0 {
		return nil, errors.New("the packet lacks a place for what differs")
	}
	from, to := at+len(v.head)/3*4, at+(len(v.head)+some)/3*4
	p.head, p.mid, p.body, p.tail = head, mid, rest[:from], rest[to:]
	for _, piece := range p.next("H26.1").pieces {
		p.size += len(piece)
	}
	return p, nil
}

// next makes another packet. Its hash is computed as a real client does.
func (p *packets) next(to routing.Code) packet {
	n := p.made.Add(1)
	digits := p.digits.contents(n)
	id := fmt.Sprintf("000.00.12.H29,2026/11/21,%d/SYT-VP", n)
	one := packet{number: n, pieces: [][]byte{p.head, []byte(to), p.mid, []byte(id), p.body, base64.StdEncoding.AppendEncode(nil, digits), p.tail}}
	sum := sha256.New()
	for _, piece := range one.pieces {
		sum.Write(piece)
		one.size += len(piece)
	}
	var hash strings.Builder
	for _, b := range sum.Sum(nil) {
		fmt.Fprintf(&hash, "%x", b) // each byte without padding, as the SDK has it
	}
	one.hash = hash.String()
	return one
}

// vxpSystem is a system that calls as the SDK does, one call after the other, with as little work of its own as can be: the
// toy's client reads each answer several times over, to find faults, and that would be measured with the axis.
type vxpSystem struct {
	url, id string
	answer  bytes.Buffer // the last one's
}

func newVXPSystem(site *benchSite, id routing.Code) *vxpSystem {
	return &vxpSystem{url: site.axis.url + "/vxp", id: string(id)}
}

// call makes one signed call. What it returns is valid until the next one.
func (s *vxpSystem) call(ctx context.Context, via *http.Client, path string, body [][]byte, keys ...string) ([]byte, error) {
	signed := fmt.Sprintf(`{"XroadVnpt-systemid":%q,"XroadVnpt-timestamp":"21112026T192921+0718"`, s.id)
	for i := 0; i < len(keys); i += 2 {
		signed += fmt.Sprintf(`,"XroadVnpt-%s":%q`, keys[i], keys[i+1])
	}
	signed += "}"
	mac := hmac.New(sha256.New, []byte(benchSecret))
	_, _ = io.WriteString(mac, signed) // a hash never fails
	content, length := together(body)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, content)
	if err != nil {
		return nil, err
	}
	request.ContentLength = length
	request.Header["XroadVnpt-sign-header"] = []string{signed}
	request.Header["XroadVnpt-hash-header"] = []string{fmt.Sprintf("%x", mac.Sum(nil))}
	response, err := via.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	s.answer.Reset()
	_, err = s.answer.ReadFrom(response.Body)
	return s.answer.Bytes(), err
}

// vxpAnswer is what an answer in JSON may hold, but for getEdoc's.
type vxpAnswer struct {
	Code  string `json:"ErrorCode"`
	Sent  string `json:"DocId"`
	Items []struct {
		DocID string `json:"docId"`
	} `json:"data"`
}

// ask is call for answers in JSON, which must say OK.
func (s *vxpSystem) ask(ctx context.Context, via *http.Client, path string, body [][]byte, keys ...string) (vxpAnswer, error) {
	var a vxpAnswer
	raw, err := s.call(ctx, via, path, body, keys...)
	if err != nil {
		return a, err
	}
	if json.Unmarshal(raw, &a) != nil || a.Code != "0" {
		return a, s.wrong(path, raw)
	}
	return a, nil
}

func (s *vxpSystem) wrong(path string, raw []byte) error {
	return answer{exitNo, fmt.Sprintf("%s of %s: %.300s", path, s.id, raw)}
}

func (s *vxpSystem) send(ctx context.Context, via *http.Client, p packet) error {
	a, err := s.ask(ctx, via, "/sendEdoc", append(p.pieces, []byte("\r\n")), "servicetype", "eDoc", "messagetype", "edoc", "from", s.id, "hash-file", p.hash)
	if err == nil && a.Sent == "" {
		err = answer{exitNo, "sendEdoc gives no DocId"}
	}
	return err
}

func (s *vxpSystem) list(ctx context.Context, via *http.Client) (docIDs []string, err error) {
	a, err := s.ask(ctx, via, "/getReceivedEdocList", nil, "servicetype", "eDoc", "messagetype", "edoc")
	for _, item := range a.Items {
		docIDs = append(docIDs, item.DocID)
	}
	return docIDs, err
}

// get returns the packet in base64, as it came.
func (s *vxpSystem) get(ctx context.Context, via *http.Client, docID string) ([]byte, error) {
	raw, err := s.call(ctx, via, "/getEdoc", [][]byte{[]byte("{}")}, "docId", docID, "filePath", "/home/qlvb")
	if err != nil {
		return nil, err
	}
	head, data, ok := bytes.Cut(raw, []byte(`"data":"`))
	data, ok2 := bytes.CutSuffix(data, []byte(`"}`))
	if !ok || !ok2 || !bytes.Contains(head, []byte(`"ErrorCode":"0"`)) {
		return nil, s.wrong("/getEdoc", raw)
	}
	return data, nil
}

func (s *vxpSystem) done(ctx context.Context, via *http.Client, docID string) error {
	_, err := s.ask(ctx, via, "/updateStatus", [][]byte{[]byte("{}")}, "docId", docID, "status", "done")
	return err
}
