package signing

import "bytes"

// Bag opens a PKCS #7 bag of certificates and revocation lists (.p7b, .p7c: a SignedData that nobody need have signed,
// RFC 5652, 5.1), DER, BER or PEM. ok is false when it is none.
func Bag(raw []byte) (certificates, crls [][]byte, ok bool) {
	der, why := unarmour(bytes.TrimSpace(raw))
	if why != "" {
		return nil, nil, false
	}
	m, why := readMessage(sliceReader(der), int64(len(der)), int64(len(der)), true)
	if why != "" {
		return nil, nil, false
	}
	return m.certificates, m.crls, true
}
