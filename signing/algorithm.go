package signing

import (
	"bytes"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// algorithm is an AlgorithmIdentifier; params is the DER of its parameters, nil when absent.
type algorithm struct {
	id     asn1.ObjectIdentifier
	params []byte
}

// plain says that the parameters are absent or NULL, as digests and most signatures have them.
func (a algorithm) plain() bool { return a.params == nil || bytes.Equal(a.params, []byte{5, 0}) }

func readAlgorithm(der []byte) (algorithm, bool) {
	in := cryptobyte.String(der)
	var a algorithm
	ok := a.read(&in) && in.Empty()
	return a, ok
}

// same compares names and parameters; absent ones are as good as NULL.
func (a algorithm) same(b algorithm) bool {
	return a.id.Equal(b.id) && (bytes.Equal(a.params, b.params) || a.plain() && b.plain())
}

// read takes one AlgorithmIdentifier off the front of in.
func (a *algorithm) read(in *cryptobyte.String) bool { return a.readTagged(in, cbasn1.SEQUENCE) }

func (a *algorithm) readTagged(in *cryptobyte.String, as cbasn1.Tag) bool {
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, as) || !takeOID(&seq, &a.id) {
		return false
	}
	if seq.Empty() {
		return true
	}
	var params cryptobyte.String
	var tag cbasn1.Tag
	if !seq.ReadAnyASN1Element(&params, &tag) || !seq.Empty() {
		return false
	}
	a.params = params
	return true
}

// takeOID reads an object identifier. One with an arc of more than 31 bits (2.25 and a UUID) is none that we know: id is
// left empty.
func takeOID(in *cryptobyte.String, id *asn1.ObjectIdentifier) bool {
	var whole cryptobyte.String
	if !in.ReadASN1Element(&whole, cbasn1.OBJECT_IDENTIFIER) || len(whole) < 3 || whole[len(whole)-1] > 0x7F {
		return false
	}
	if !whole.ReadASN1ObjectIdentifier(id) {
		*id = nil
	}
	return true
}
