package signing

import (
	"bytes"
	"context"
	"crypto"
	"encoding/pem"
	"io"
	"slices"
)

// maxPEM bounds what is decoded from PEM in memory. Larger messages must come as DER.
const maxPEM = 16 << 20

// maxSigners bounds the signers of one message; each costs a search for a path.
const maxSigners = 32

// readSigners parses the SignerInfos, all of which must be readable.
func (m *message) readSigners() ([]signerInfo, Reason) {
	if len(m.signers) > maxSigners {
		return nil, CMSTooLarge
	}
	out := make([]signerInfo, 0, len(m.signers))
	for _, der := range m.signers {
		s, why := readSigner(der)
		if why != "" {
			return nil, why
		}
		out = append(out, s)
	}
	return out, ""
}

// maxCertificates bounds the certificates that one message may bring.
const maxCertificates = 100

// readCertificates parses the certificates of the message.
func (m *message) readCertificates(known *lazyTrust) ([]*certificate, Reason) {
	if len(m.certificates) > maxCertificates {
		return nil, CMSTooLarge
	}
	var out []*certificate
	var why Reason
	for _, der := range m.certificates {
		c, w := known.read(der)
		if w != "" {
			why = CertificateUnreadable
			continue
		}
		if !contains(out, c) {
			out = append(out, c)
		}
	}
	return out, why
}

// message judges all signers of a CMS over a content, each apart. A message without signers is one invalid signature.
func (j judge) message(m *message, content *digester) []SignatureReport {
	switch {
	case len(m.signers) == 0:
		return []SignatureReport{failed(NoSigner)}
	case len(m.signers) > maxSigners:
		return []SignatureReport{failed(CMSTooLarge)}
	}
	signers := make([]signerInfo, len(m.signers))
	broken := make([]Reason, len(m.signers))
	var hashes []crypto.Hash
	for i, der := range m.signers {
		signers[i], broken[i] = readSigner(der)
		hashes = append(hashes, signers[i].hash)
	}
	certs, certWhy := m.readCertificates(j.trust)
	j.extra = j.extra.with(m.evidence(signers))
	content.prepare(hashes)
	out := make([]SignatureReport, 0, len(signers))
	for i, s := range signers {
		if broken[i] != "" {
			out = append(out, failed(broken[i]))
			continue
		}
		c := checkSigner(m, s, j.namable(s, certs), content.get)
		c.add(certWhy)
		if m.version != m.expectedVersion(signers) {
			c.add(CMSVersion)
		}
		if s.signed == nil && looksLikeAttributes(content) {
			c.add(AttributesStripped)
		}
		if content.err != nil {
			c.add(readReason(content.err))
		}
		out = append(out, j.signer(c, certs))
	}
	return out
}

// namable are the certificates among which a signer is looked for: those of the message, or when it left the signer's out,
// those that came otherwise or were installed.
func (j judge) namable(s signerInfo, certs []*certificate) []*certificate {
	if len(s.candidates(certs)) > 0 {
		return certs
	}
	out := slices.Concat(j.extra.certs, j.trust.pool)
	for _, a := range j.trust.anchors {
		out = append(out, a.cert)
	}
	return out
}

// failed reports a signature that could not be read at all.
func failed(why ...Reason) SignatureReport {
	r := SignatureReport{Reasons: why}
	r.settle()
	return r
}

func readReason(err error) Reason {
	if err == context.Canceled || err == context.DeadlineExceeded {
		return Interrupted
	}
	if err == errPDFLimit {
		return PDFLimits
	}
	return FileUnreadable
}

// looksLikeAttributes says that a content is itself a SET OF Attribute with a message digest: then a signature over it
// without attributes was made for another content, from which the attributes were cut (RFC 5652, 5.4; eContent attack).
func looksLikeAttributes(content *digester) bool {
	if content.r == nil || len(content.parts) == 0 || content.parts[0].n > 64<<10 {
		return false
	}
	b := make([]byte, content.parts[0].n)
	if readFull(content.r, b, content.parts[0].at) != nil || len(b) < 4 || b[0] != tagSet {
		return false
	}
	return bytes.Contains(b, []byte{0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04})
}

// detached judges a detached signature over a file.
func (j judge) detached(f File) []SignatureReport {
	der, why := unarmour(f.Signature)
	if why != "" {
		return []SignatureReport{failed(why)}
	}
	m, why := readMessage(sliceReader(der), int64(len(der)), maxFrame, false)
	if why != "" {
		return []SignatureReport{failed(why)}
	}
	content := wholeFile(j.ctx, f)
	out := j.message(m, content)
	if m.hasContent && !j.sameContent(m, der, content) {
		for i := range out {
			out[i].Reasons = addReason(out[i].Reasons, DetachedHasContent)
			out[i].settle()
		}
	}
	return out
}

// sameContent says that the content a message carries is the one it was given with: an attached message where a detached
// one was expected, which does no harm.
func (j judge) sameContent(m *message, der []byte, content *digester) bool {
	inner, ok1 := newDigester(j.ctx, sliceReader(der), m.content).get(crypto.SHA256)
	outer, ok2 := content.get(crypto.SHA256)
	return ok1 && ok2 && bytes.Equal(inner, outer)
}

// attached judges a file that is itself a CMS message.
func (j judge) attached(f File) []SignatureReport {
	r, size := f.Content, f.Size
	head := peekFile(f, 1024)
	if _, mime := mimeBody(head); mime || isPEM(head) || isBase64(head) {
		if size > maxPEM {
			return []SignatureReport{failed(CMSTooLarge)}
		}
		text := make([]byte, size)
		if readFull(r, text, 0) != nil {
			return []SignatureReport{failed(FileUnreadable)}
		}
		der, why := unarmour(text)
		if why != "" {
			return []SignatureReport{failed(why)}
		}
		r, size = sliceReader(der), int64(len(der))
	}
	m, why := readMessage(r, size, maxFrame, false)
	if why != "" {
		return []SignatureReport{failed(why)}
	}
	if !m.hasContent {
		return []SignatureReport{failed(ContentMissing)}
	}
	return j.message(m, newDigester(j.ctx, r, m.content))
}

// unarmour takes PEM, bare base64 or S/MIME's header off, when there is any. What follows the block is stray data.
func unarmour(b []byte) ([]byte, Reason) {
	if body, ok := mimeBody(b); ok {
		b = body
	}
	switch {
	case isPEM(b):
		block, rest := pem.Decode(b)
		if block == nil {
			return nil, CMSMalformed
		}
		if len(bytes.TrimSpace(rest)) > 0 {
			return nil, CMSTrailingData
		}
		return block.Bytes, ""
	case isBase64(b):
		if der := decodeBase64(unspaced(b)); der != nil {
			return der, ""
		}
		return nil, CMSMalformed
	}
	return b, ""
}

// peekFile gives the first bytes of a file.
func peekFile(f File, n int) []byte {
	b := make([]byte, min(int64(n), max(f.Size, 0)))
	if f.Content == nil || len(b) == 0 {
		return nil
	}
	got, err := f.Content.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return nil
	}
	return b[:got]
}
