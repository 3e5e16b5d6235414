package edxml

import (
	"strings"
)

// packetOf is a small good document packet; each change replaces old by new in it, in pairs.
func packetOf(changes ...string) string {
	return strings.NewReplacer(changes...).Replace(strings.ReplaceAll(`<?xml version="1.0" encoding="UTF-8"?>
<edXML xmlns="NS">
  <edXML:edXMLEnvelope xmlns:edXML="NS">
    <edXML:edXMLHeader>
      <edXML:MessageHeader>
        <edXML:From><edXML:OrganId>H29.12</edXML:OrganId></edXML:From>
        <edXML:To><edXML:OrganId>H26</edXML:OrganId></edXML:To>
        <edXML:DocumentId>H29.12-2026-000001</edXML:DocumentId>
        <edXML:Code><edXML:CodeNumber>1</edXML:CodeNumber><edXML:CodeNotation>SNV-VP</edXML:CodeNotation></edXML:Code>
        <edXML:PromulgationInfo><edXML:PromulgationDate>2026/11/20</edXML:PromulgationDate></edXML:PromulgationInfo>
        <edXML:DocumentType><edXML:Type>2</edXML:Type><edXML:TypeName>Công văn</edXML:TypeName></edXML:DocumentType>
        <edXML:Subject>Về việc thử nghiệm</edXML:Subject>
        <edXML:OtherInfo><edXML:Priority>0</edXML:Priority></edXML:OtherInfo>
      </edXML:MessageHeader>
    </edXML:edXMLHeader>
    <edXML:edXMLBody><edXML:edXMLManifest version="1.0" /></edXML:edXMLBody>
  </edXML:edXMLEnvelope>
  <AttachmentEncoded>
    <Attachment>
      <ContentId>cid:1</ContentId>
      <AttachmentName>a.pdf</AttachmentName>
      <ContentType>application/pdf</ContentType>
      <edXML:ContentTransferEncoded>JVBERi0xLjQKdGVzdAo=</edXML:ContentTransferEncoded>
    </Attachment>
  </AttachmentEncoded>
</edXML>
`, "NS", namespace))
}

const samplePDF = "%PDF-1.4\ntest\n"
