package signing

const maxDSS = 200

// validationData reads the certificates and revocation lists of the document security store (ETSI EN 319 142-1, 5.4.2).
// They are signed themselves, so it does not matter who put them there; what cannot be read is left out.
func (v pdfView) validationData() ([]*certificate, []*crl) {
	root, err := v.dict(v.trailer().get("Root"))
	if err != nil {
		return nil, nil
	}
	dss, err := v.dict(root.get("DSS"))
	if err != nil || dss == nil {
		return nil, nil
	}
	var certs []*certificate
	var lists []*crl
	v.streams(dss.get("Certs"), func(der []byte) {
		if c, why := readCertificate(der); why == "" {
			certs = append(certs, c)
		}
	})
	v.streams(dss.get("CRLs"), func(der []byte) {
		if l, ok := readCRL(der); ok {
			lists = append(lists, l)
		}
	})
	return certs, lists
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
