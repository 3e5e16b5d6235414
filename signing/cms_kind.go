package signing

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"slices"
)

// otherKinds are the content types of CMS messages that are not SignedData (RFC 5652, 14; RFC 3274; RFC 5083): what they
// hold may well be signed inside.
var otherKinds = []asn1.ObjectIdentifier{
	{1, 2, 840, 113549, 1, 7, 3},         // enveloped
	{1, 2, 840, 113549, 1, 7, 4},         // signed and enveloped (PKCS #7)
	{1, 2, 840, 113549, 1, 7, 5},         // digested
	{1, 2, 840, 113549, 1, 7, 6},         // encrypted
	{1, 2, 840, 113549, 1, 9, 16, 1, 2},  // authenticated
	{1, 2, 840, 113549, 1, 9, 16, 1, 9},  // compressed
	{1, 2, 840, 113549, 1, 9, 16, 1, 23}, // authenticated and enveloped
}

func otherKind(id asn1.ObjectIdentifier) bool { return slices.ContainsFunc(otherKinds, id.Equal) }

// isCMS recognises a ContentInfo: in DER or BER, its PEM, its bare base64, or an S/MIME entity that is nothing else.
func isCMS(head []byte) bool {
	if isPEM(head) {
		text := bytes.TrimSpace(head)
		for _, label := range []string{"-----BEGIN CMS-----", "-----BEGIN PKCS7-----", "-----BEGIN PKCS #7 SIGNED DATA-----"} {
			if bytes.HasPrefix(text, []byte(label)) {
				return true
			}
		}
		return false
	}
	if body, ok := mimeBody(head); ok {
		head = body
	}
	if isBase64(head) {
		text := unspaced(head)
		head = decodeBase64(text[:len(text)/4*4])
	}
	if len(head) < 16 || head[0] != tagSequence {
		return false
	}
	start := head[:min(24, len(head))]
	if bytes.Contains(start, oidSignedDataDER) {
		return true
	}
	for _, id := range otherKinds {
		if der, err := asn1.Marshal(id); err == nil && bytes.Contains(start, der) {
			return true
		}
	}
	return false
}

// brokenCMS says that a file begins nearly as a signed message does: the identifier of SignedData stands there with at most
// one byte wrong, or in order behind a header that is not. PKCS #7's plain data, one byte off, is a kind of its own (PKCS #12
// begins with it).
func brokenCMS(head []byte) bool {
	size := len(oidSignedDataDER)
	for at := 0; at+size <= min(len(head), 24); at++ {
		wrong := 0
		for i, b := range oidSignedDataDER {
			if head[at+i] != b {
				wrong++
			}
		}
		if wrong == 0 || wrong == 1 && head[at+size-1] != 1 {
			return true
		}
	}
	return false
}

func isPEM(b []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(b[:min(len(b), 64)]), []byte("-----BEGIN"))
}

// isBase64 recognises a SEQUENCE in base64 without armour, as some signing tools and web forms hand it over.
func isBase64(b []byte) bool {
	b = bytes.TrimSpace(b[:min(len(b), 64)])
	if len(b) < 16 || b[0] != 'M' || b[1] < 'A' || b[1] > 'P' {
		return false
	}
	return !bytes.ContainsFunc(b, func(c rune) bool {
		return (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '+' && c != '/' && c != '=' && c != '\r' && c != '\n'
	})
}

// mimeBody gives what follows the header of an application/pkcs7-mime entity in base64 (RFC 8551, 3.2).
func mimeBody(b []byte) ([]byte, bool) {
	if !isMail(b[:min(len(b), 1024)]) {
		return nil, false
	}
	for _, blank := range []string{"\r\n\r\n", "\n\n"} {
		header, body, ok := bytes.Cut(b, []byte(blank))
		header = bytes.ToLower(header[:min(len(header), 4096)])
		kind := bytes.Contains(header, []byte("content-type: application/pkcs7-mime")) || bytes.Contains(header, []byte("content-type: application/x-pkcs7-mime"))
		if ok && kind && bytes.Contains(header, []byte("content-transfer-encoding: base64")) {
			return bytes.TrimSpace(body), true
		}
	}
	return nil, false
}

// unspaced is a text without its spaces and line ends.
func unspaced(text []byte) []byte {
	return bytes.Map(func(c rune) rune {
		if c == '\r' || c == '\n' || c == ' ' || c == '\t' {
			return -1
		}
		return c
	}, text)
}

// decodeBase64 gives nil when it is not base64, or more than that.
func decodeBase64(text []byte) []byte {
	out := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(out, text)
	if err != nil {
		return nil
	}
	return out[:n]
}
