package signing

const maxDSS = 200

// validationData reads the certificates and revocation lists of the document security store (ETSI EN 319 142-1, 5.4.2).
// They are signed themselves, so it does not matter who put them there; what cannot be read is left out.
func (v pdfView) validationData() (out evidence) {
	root, err := v.dict(v.trailer().get("Root"))
	if err != nil {
		return out
	}
	dss, err := v.dict(root.get("DSS"))
	if err != nil || dss == nil {
		return out
	}
	v.streams(dss.get("Certs"), func(der []byte) {
		if c, why := readCertificate(der); why == "" {
			out.certs = append(out.certs, c)
		}
	})
	v.streams(dss.get("CRLs"), func(der []byte) {
		if l, ok := readCRL(der); ok {
			out.crls = append(out.crls, l)
		}
	})
	v.streams(dss.get("OCSPs"), func(der []byte) {
		if r, ok := readOCSP(der); ok {
			out.ocsp = append(out.ocsp, r)
		}
	})
	return out
}

// streams gives the data of the streams in an array.
func (v pdfView) streams(o any, f func([]byte)) {
	list, err := v.array(o)
	if err != nil {
		return
	}
	for i, e := range list {
		s, err := v.resolve(e)
		st, ok := s.(*pdfStream)
		if err != nil || !ok || i == maxDSS {
			return
		}
		if data, err := v.doc.inflate(st, &v); err == nil {
			f(data)
		}
	}
}
