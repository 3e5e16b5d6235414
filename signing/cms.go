package signing

import (
	"encoding/asn1"
	"errors"
	"io"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// message is a parsed SignedData (RFC 5652, 5.1). Everything is DER, save the content, which stays where it is.
type message struct {
	version      int64
	digests      []string // object identifiers of digestAlgorithms, as text
	contentType  asn1.ObjectIdentifier
	hasContent   bool
	content      []segment // of the source
	certificates [][]byte
	otherCerts   byte // the highest tag among certificates that are not X.509: 0, 0xA1, 0xA2 or 0xA3
	otherCRLs    bool
	crls         [][]byte
	ocsp         [][]byte // from the other forms of revocation data
	signers      [][]byte // SignerInfo
}

// segment is a piece of the content.
type segment struct{ at, n int64 }

// readMessage reads a ContentInfo with SignedData. room is how many bytes the message may have besides its content;
// padded allows zero bytes behind it, as PDF's /Contents has.
func readMessage(r io.ReaderAt, size, room int64, padded bool) (*message, Reason) {
	s := newSource(r, size)
	m, end, err := s.message(room)
	if err != nil {
		return nil, berReason(err)
	}
	if end == size {
		return m, ""
	}
	if padded && zeros(r, end, size) {
		return m, ""
	}
	return m, CMSTrailingData
}

func berReason(err error) Reason {
	switch {
	case errors.Is(err, errTooDeep):
		return CMSTooDeep
	case errors.Is(err, errTooLarge):
		return CMSTooLarge
	case errors.Is(err, errKind):
		return CMSKindUnsupported
	case errors.Is(err, errMalformed), errors.Is(err, io.ErrUnexpectedEOF):
		return CMSMalformed
	}
	return FileUnreadable
}

func zeros(r io.ReaderAt, at, size int64) bool {
	buf := make([]byte, 4096)
	for at < size {
		b := buf[:min(int64(len(buf)), size-at)]
		if readFull(r, b, at) != nil {
			return false
		}
		for _, c := range b {
			if c != 0 {
				return false
			}
		}
		at += int64(len(b))
	}
	return true
}

const (
	tagSequence = 0x30
	tagSet      = 0x31
	tagOID      = 0x06
	tagInteger  = 0x02
	tagOctets   = 0x04
)

func (s *source) message(room int64) (*message, int64, error) {
	outer, err := s.next(0, s.size, 1)
	if err != nil {
		return nil, 0, err
	}
	parts, err := s.expect(outer, tagSequence, 1, 2, 2)
	if err != nil {
		return nil, 0, err
	}
	kind, err := s.oid(parts[0], 2, &room)
	if err != nil {
		return nil, 0, err
	}
	switch {
	case otherKind(kind):
		return nil, 0, errKind
	case !kind.Equal(oidSignedData):
		return nil, 0, errMalformed
	}
	inner, err := s.expect(parts[1], 0xA0, 2, 1, 1)
	if err != nil {
		return nil, 0, err
	}
	fields, err := s.expect(inner[0], tagSequence, 3, 4, 6)
	if err != nil {
		return nil, 0, err
	}
	m, err := s.signedData(fields, &room)
	return m, outer.end, err
}

// expect lists the parts of e, which must have this tag and so many parts.
func (s *source) expect(e element, tag byte, depth, least, most int) ([]element, error) {
	if e.tag != tag {
		return nil, errMalformed
	}
	parts, err := s.parts(e, depth, most+1)
	if err != nil {
		return nil, err
	}
	if len(parts) < least || len(parts) > most {
		return nil, errMalformed
	}
	return parts, nil
}

func (s *source) oid(e element, depth int, room *int64) (asn1.ObjectIdentifier, error) {
	der, err := s.der(e, depth, room)
	if err != nil {
		return nil, err
	}
	var id asn1.ObjectIdentifier
	in := cryptobyte.String(der)
	if !in.ReadASN1ObjectIdentifier(&id) || !in.Empty() {
		return nil, errMalformed
	}
	return id, nil
}

// signedData reads version, digestAlgorithms, encapContentInfo, certificates [0], crls [1], signerInfos.
func (s *source) signedData(fields []element, room *int64) (*message, error) {
	const depth = 4
	m := &message{}
	version, err := s.der(fields[0], depth, room)
	if err != nil {
		return nil, err
	}
	in := cryptobyte.String(version)
	if !in.ReadASN1Integer(&m.version) || !in.Empty() {
		return nil, errMalformed
	}
	if err := s.digestAlgorithms(m, fields[1], room); err != nil {
		return nil, err
	}
	if err := s.encapsulated(m, fields[2], room); err != nil {
		return nil, err
	}
	rest := fields[3:]
	if rest[0].tag == 0xA0 {
		if err := s.certificateSet(m, rest[0], room); err != nil {
			return nil, err
		}
		rest = rest[1:]
	}
	if len(rest) > 0 && rest[0].tag == 0xA1 {
		if err := s.crlSet(m, rest[0], room); err != nil {
			return nil, err
		}
		rest = rest[1:]
	}
	if len(rest) != 1 || rest[0].tag != tagSet {
		return nil, errMalformed
	}
	infos, err := s.ders(rest[0], depth, room)
	if err != nil {
		return nil, err
	}
	m.signers = infos
	return m, nil
}

// ders reads all parts of e as DER.
func (s *source) ders(e element, depth int, room *int64) ([][]byte, error) {
	parts, err := s.parts(e, depth, 10_000)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, 0, len(parts))
	for _, p := range parts {
		der, err := s.der(p, depth+1, room)
		if err != nil {
			return nil, err
		}
		out = append(out, der)
	}
	return out, nil
}

func (s *source) digestAlgorithms(m *message, e element, room *int64) error {
	if e.tag != tagSet {
		return errMalformed
	}
	list, err := s.ders(e, 4, room)
	if err != nil {
		return err
	}
	for _, der := range list {
		a, ok := readAlgorithm(der)
		if !ok || !a.plain() {
			return errMalformed
		}
		m.digests = append(m.digests, a.id.String())
	}
	return nil
}

func (s *source) encapsulated(m *message, e element, room *int64) error {
	parts, err := s.expect(e, tagSequence, 4, 1, 2)
	if err != nil {
		return err
	}
	if m.contentType, err = s.oid(parts[0], 5, room); err != nil {
		return err
	}
	if len(parts) == 1 {
		return nil
	}
	inner, err := s.expect(parts[1], 0xA0, 5, 1, 1)
	if err != nil {
		return err
	}
	m.hasContent = true
	return s.segments(m, inner[0], 6)
}

// segments lists the pieces of the content's OCTET STRING.
func (s *source) segments(m *message, e element, depth int) error {
	if e.tag == tagOctets {
		if len(m.content) == maxSegments {
			return errTooLarge
		}
		m.content = append(m.content, segment{e.body, e.bodyEnd - e.body})
		return nil
	}
	if e.tag != tagOctets|0x20 {
		if depth == 6 && !m.contentType.Equal(oidData) {
			return errKind // PKCS #7 1.5, whose content may be of any type (RFC 5652, 5.2.1)
		}
		return errMalformed
	}
	for at := e.body; at < e.bodyEnd; {
		part, err := s.next(at, e.bodyEnd, depth+1)
		if err != nil {
			return err
		}
		if at == e.body { // mostly all pieces are as long as the first
			m.content = slices.Grow(m.content, int(min(maxSegments, (e.bodyEnd-e.body)/(part.end-part.at)+1)))
		}
		if err := s.segments(m, part, depth+1); err != nil {
			return err
		}
		at = part.end
	}
	return nil
}

func (s *source) certificateSet(m *message, e element, room *int64) error {
	list, err := s.ders(e, 4, room)
	if err != nil {
		return err
	}
	for _, der := range list {
		switch der[0] {
		case tagSequence:
			m.certificates = append(m.certificates, der)
		case 0xA0, 0xA1, 0xA2, 0xA3: // extendedCertificate, attribute certificates, other
			m.otherCerts = max(m.otherCerts, der[0])
		default:
			return errMalformed
		}
	}
	return nil
}

func (s *source) crlSet(m *message, e element, room *int64) error {
	list, err := s.ders(e, 4, room)
	if err != nil {
		return err
	}
	for _, der := range list {
		switch der[0] {
		case tagSequence:
			m.crls = append(m.crls, der)
		case 0xA1:
			m.otherCRLs = true
			if response, ok := otherOCSP(der); ok {
				m.ocsp = append(m.ocsp, response)
			}
		default:
			return errMalformed
		}
	}
	return nil
}

// expectedVersion is what SignedData's version must be (RFC 5652, 5.1).
func (m *message) expectedVersion(signers []signerInfo) int64 {
	switch {
	case m.otherCerts == 0xA3 || m.otherCRLs:
		return 5
	case m.otherCerts == 0xA2:
		return 4
	case m.otherCerts == 0xA1 || !m.contentType.Equal(oidData):
		return 3
	}
	for _, s := range signers {
		if s.version == 3 {
			return 3
		}
	}
	return 1
}
