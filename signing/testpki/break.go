package testpki

import "encoding/asn1"

// BER re-encodes DER with indefinite lengths everywhere, and octet strings of more than 16 bytes in two pieces, as
// streaming signers write it. Certificates and signed attributes keep their DER, since it is what is signed.
func BER(der []byte) []byte {
	var v asn1.RawValue
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return der
	}
	return ber(v, 0)
}

func ber(v asn1.RawValue, depth int) []byte {
	if v.Class == asn1.ClassUniversal && v.Tag == asn1.TagOctetString && len(v.Bytes) > 16 {
		half := len(v.Bytes) / 2
		out := append([]byte{0x24, 0x80}, octets(v.Bytes[:half])...)
		return append(append(out, octets(v.Bytes[half:])...), 0, 0)
	}
	if !v.IsCompound || depth > 4 {
		return v.FullBytes
	}
	out := []byte{v.FullBytes[0], 0x80}
	for _, part := range split(v.Bytes) {
		var inner asn1.RawValue
		if _, err := asn1.Unmarshal(part, &inner); err != nil {
			return v.FullBytes
		}
		out = append(out, ber(inner, depth+1)...)
	}
	return append(out, 0, 0)
}

// FlipByte changes one bit of a copy, at an offset (counted from the end when negative).
func FlipByte(b []byte, at int) []byte {
	out := append([]byte(nil), b...)
	if at < 0 {
		at += len(out)
	}
	out[at] ^= 1
	return out
}
