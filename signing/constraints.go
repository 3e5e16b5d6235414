package signing

import (
	"bytes"
	"net"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// nameConstraints is the extension of that name (RFC 5280, 4.2.1.10).
type nameConstraints struct {
	critical bool
	subtrees []subtree
}

// subtree is one GeneralSubtree.
type subtree struct {
	generalName
	excluded bool
	rdns     []string // of a directoryName
	bound    bool     // minimum or maximum is given: nobody knows what that means (RFC 5280, 4.2.1.10)
}

func readConstraints(der []byte, critical bool) (*nameConstraints, bool) {
	in := cryptobyte.String(der)
	var seq, permitted, excluded cryptobyte.String
	var has0, has1 bool
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() ||
		!seq.ReadOptionalASN1(&permitted, &has0, cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		!seq.ReadOptionalASN1(&excluded, &has1, cbasn1.Tag(1).ContextSpecific().Constructed()) || !seq.Empty() || !has0 && !has1 {
		return nil, false
	}
	n := &nameConstraints{critical: critical}
	return n, (!has0 || n.read(permitted, false)) && (!has1 || n.read(excluded, true))
}

// read takes the GeneralSubtrees of one half: one at least.
func (n *nameConstraints) read(in cryptobyte.String, excluded bool) bool {
	if in.Empty() {
		return false
	}
	for !in.Empty() {
		var seq cryptobyte.String
		s := subtree{excluded: excluded}
		var ok bool
		if !in.ReadASN1(&seq, cbasn1.SEQUENCE) {
			return false
		}
		if s.generalName, ok = readGeneralName(&seq); !ok || !s.sound() {
			return false
		}
		var minimum int
		tag := cbasn1.Tag(0).ContextSpecific()
		if seq.PeekASN1Tag(tag) && !readSkip(&seq, tag, &minimum) {
			return false
		}
		s.bound = minimum != 0 || !seq.Empty()
		if s.form == directoryName {
			s.rdns, _ = rdnKeys(s.value)
		}
		n.subtrees = append(n.subtrees, s)
	}
	return true
}

// sound checks the form of a base: an address needs a mask of leading ones (RFC 5280, 4.2.1.10; RFC 4632).
func (s subtree) sound() bool {
	if s.form != iPAddress {
		return true
	}
	half := len(s.value) / 2
	if half != 4 && half != 16 || len(s.value)%2 != 0 {
		return false
	}
	_, bits := net.IPMask(s.value[half:]).Size()
	return bits != 0
}

// maxCompared bounds the comparisons of names with subtrees in one path: both can come in thousands.
const maxCompared = 20000

// nameSpace is what is left to the certificates further down: the state permitted_subtrees and excluded_subtrees of
// RFC 5280, 6.1.2 (b), (c). The constraints stay as they came: to be in the intersection of the permitted subtrees is to
// be in one of each certificate's.
type nameSpace struct {
	constraints []*nameConstraints
	compared    int
}

func (s *nameSpace) narrow(n *nameConstraints) {
	if n != nil {
		s.constraints = append(s.constraints, n)
	}
}

// judge checks every name of c (RFC 5280, 6.1.3 (b), (c)).
func (s *nameSpace) judge(c *certificate) Reason {
	if len(s.constraints) == 0 {
		return ""
	}
	var unsure Reason
	for _, n := range c.names() {
		switch why := s.judgeName(n); why {
		case "":
		case PathUnsupported:
			unsure = why
		default:
			return why
		}
	}
	return unsure
}

func (s *nameSpace) judgeName(n generalName) Reason {
	var rdns []string
	if n.form == directoryName {
		if len(n.value) > maxFolded {
			return PathTooLong // unfolded, it would slip past what is excluded
		}
		rdns, _ = rdnKeys(n.value)
	}
	var unsure Reason
	for _, c := range s.constraints {
		named, within := false, false
		for _, t := range c.subtrees {
			if t.form != n.form {
				continue
			}
			if s.compared++; s.compared > maxCompared {
				return PathTooLong
			}
			in, known := t.holds(n, rdns)
			switch {
			case !known && c.critical:
				unsure = PathUnsupported
			case !known:
			case t.excluded && in:
				return PathNames
			case !t.excluded:
				named, within = true, within || in
			}
		}
		if named && !within {
			return PathNames
		}
	}
	return unsure
}

// holds says whether n lies within the subtree; known is false for forms that have no rule.
func (t subtree) holds(n generalName, rdns []string) (in, known bool) {
	if t.bound {
		return false, false
	}
	base, name := strings.ToLower(string(t.value)), string(n.value)
	switch t.form {
	case directoryName:
		return len(rdns) >= len(t.rdns) && slices.Equal(rdns[:len(t.rdns)], t.rdns), true
	case rfc822Name:
		return mailWithin(string(t.value), name, t.excluded), true
	case dNSName:
		return hostWithin(base, name, t.excluded), true
	case uniformResourceIdentifier:
		return uriWithin(base, name, t.excluded), true
	case iPAddress:
		return addressWithin(t.value, n.value), true
	}
	return false, false
}

// hostWithin: zero or more labels added on the left. A base with a leading dot is no DNS name: it permits nothing, and
// excludes what its writer must have meant.
func hostWithin(base, name string, excluded bool) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if strings.HasPrefix(base, ".") {
		return excluded && (strings.HasSuffix(name, base) || name == base[1:])
	}
	if excluded && strings.HasPrefix(name, "*.") { // it stands for every host there, the excluded one too
		if _, parent, ok := strings.Cut(base, "."); ok && parent == name[2:] {
			return true
		}
	}
	return base == "" || name == base || strings.HasSuffix(name, "."+base)
}

// mailWithin: one mailbox, all of one host, or (with a leading dot) all hosts of a domain. The part before the @ is
// compared as it is (RFC 5280, 7.5).
func mailWithin(base, name string, excluded bool) bool {
	at := strings.LastIndexByte(name, '@')
	if at < 1 || at == len(name)-1 {
		return excluded // no mailbox: not in what is permitted, nor proven out of what is not
	}
	host := strings.ToLower(name[at+1:])
	if i := strings.LastIndexByte(base, '@'); i >= 0 {
		return name[:at] == base[:i] && host == strings.ToLower(base[i+1:])
	}
	base = strings.ToLower(base)
	if strings.HasPrefix(base, ".") {
		return strings.HasSuffix(host, base)
	}
	return base == "" || host == base
}

// uriWithin: the host, or with a leading dot the hosts of a domain. A URI without a host name cannot be judged so, and
// counts as outside of what is permitted and inside of what is excluded (RFC 5280, 4.2.1.10: "MUST reject").
func uriWithin(base, name string, excluded bool) bool {
	u, err := url.Parse(name)
	if err != nil {
		return excluded
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "" || net.ParseIP(host) != nil {
		return excluded
	}
	if strings.HasPrefix(base, ".") {
		return strings.HasSuffix(host, base) && len(host) > len(base)
	}
	return base == "" || host == base
}

func addressWithin(base, address []byte) bool {
	half := len(base) / 2
	if len(address) != half {
		return false
	}
	masked := make([]byte, half)
	for i := range masked {
		masked[i] = address[i] & base[half+i]
	}
	want := make([]byte, half)
	for i := range want {
		want[i] = base[i] & base[half+i]
	}
	return bytes.Equal(masked, want)
}

// names are what the constraints of the CAs above speak about: the subject, the alternative names, and, where there is
// no rfc822Name among these, the mail addresses within the subject.
func (c *certificate) names() []generalName {
	var out []generalName
	if rdns, ok := rdnKeys(c.x.RawSubject); !ok || len(rdns) > 0 {
		out = append(out, generalName{directoryName, c.x.RawSubject})
	}
	out = append(out, c.alternative...)
	if slices.ContainsFunc(c.alternative, func(n generalName) bool { return n.form == rfc822Name }) {
		return out
	}
	for _, a := range c.x.Subject.Names {
		if text, ok := a.Value.(string); ok && a.Type.Equal(oidEmail) {
			out = append(out, generalName{rfc822Name, []byte(text)})
		}
	}
	return out
}
