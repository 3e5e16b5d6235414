package edxml

import "strings"

// known are the local names that packets use, so that reading one makes no string, and each is counted (see frame.count).
var known = func() map[string]string {
	m := map[string]string{}
	for _, n := range strings.Fields(names) {
		m[n] = n
	}
	return m
}()

const names = `edXML edXMLEnvelope edXMLHeader edXMLBody edXMLManifest MessageHeader Status TraceHeaderList TraceHeader Signature DigitalSignature
	From To OrganId OrganizationInCharge OrganName OrganAdd Email Telephone Fax Website DocumentId Code CodeNumber CodeNotation
	PromulgationInfo Place PromulgationDate DocumentType Type TypeDetail TypeName Subject Content SignerInfo Competence Position FullName DueDate
	OtherInfo Priority SphereOfPromulgation TyperNotation PromulgationAmount PageAmount ReplyFors Direction ReferenceCodes Appendixes Appendix
	ResponseFor SteeringType ResponseForTask TaskCode ApplicationType ToPlaces Timestamp StatusCode Description StaffInfo Department DepartmentId
	Staff StaffId Mobile Bussiness BussinessDocType BussinessDocReason BussinessDocumentInfo
	Business BusinessDocType BusinessDocReason BusinessDocumentInfo DocumentInfo DocumentReceiver ReceiverList Receiver
	ReceiverType Paper ReplacementInfoList ReplacementInfo OrganIdList Reference ContentId ContentType AttachmentName AttachmentEncoded Attachment
	ContentTransferEncoded Format FieldName MimeType`
