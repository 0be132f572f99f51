import Testing
import ToolSupport
import XenStoreWire

@testable import xs

/// Values as text and back.
@Suite struct OctetsTests {
    @Test(arguments: [
        ("", ""), ("hello", "hello"), ("a b", "a b"), ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("back\\slash", "back\\\\slash"), ("\u{1B}[31mred", "\\x1b[31mred"), ("\0", "\\x00"),
        ("Zürich", "Zürich"), ("\u{7F}", "\\x7f"), ("\u{9B}1m", "\\xc2\\x9b1m"),
        ("\u{202E}evil", "\\xe2\\x80\\xaeevil"), ("say \"x\"", "say \"x\""),
    ])
    func textIsShownAndWhatIsNoneIsEscaped(_ text: String, _ shown: String) {
        #expect(Octets(Array(text.utf8)).escaped == shown)
    }

    @Test(arguments: [
        ([0xFF, 0x41] as [UInt8], "\\xffA"), ([0xC3], "\\xc3"), ([0xE2, 0x82], "\\xe2\\x82"),
        ([0x41, 0xF0, 0x28, 0x8C], "A\\xf0(\\x8c"), ([0xED, 0xA0, 0x80], "\\xed\\xa0\\x80"),
    ])
    func brokenUTF8IsEscapedByteByByte(_ bytes: [UInt8], _ shown: String) {
        #expect(Octets(bytes).escaped == shown)
    }

    @Test func everyPairOfBytesSurvivesQuoting() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                let octets = Octets([first, second])
                #expect(Octets(quoted: octets.quoted.utf8) == octets)
            }
        }
    }

    @Test(arguments: [
        "", "\"", "x", "\"x", "x\"", "\"x\"y", "\"\\\"", "\"\\q\"", "\"\\x1\"", "\"\\x+1\"",
        "\"\\xg0\"",
    ])
    func whatIsNoQuotedStringIsRefused(_ text: String) {
        #expect(Octets(quoted: text.utf8) == nil)
    }

    @Test(arguments: [
        ([0x68, 0x69] as [UInt8], #"{"value":"hi"}"#), ([], #"{"value":""}"#),
        ([0xFF, 0xFE], #"{"base64":"//4="}"#), ([0x22, 0x5C, 0x0A], #"{"value":"\"\\\u000a"}"#),
    ])
    func jsonTellsTextFromOtherBytes(_ bytes: [UInt8], _ json: String) {
        #expect(
            ShownValue(path: .root, value: Octets(bytes)).json.line == #"{"path":"/","#
                + json.dropFirst())
    }

    @Test func aTerminalGetsNoControlCharacters() {
        let value = ShownValue(path: .root, value: Octets([0x1B, 0xFF, 0x61]))
        #expect(value.bytes(.raw) == [0x1B, 0xFF, 0x61])
        #expect(value.bytes(.line) == [0x1B, 0xFF, 0x61, 0x0A])
        #expect(value.bytes(.escapedLine) == Array("\\x1b\\xffa\n".utf8))
    }
}
