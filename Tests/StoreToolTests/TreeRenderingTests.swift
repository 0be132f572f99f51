import Testing
import ToolSupport
import XenCore
import XenStoreClient

@testable import xs

/// `ls` as a pure function of the tree and the style.
@Suite struct TreeRenderingTests {
    static let tree = NodeTree(
        path: "/local/domain/3",
        children: [
            NodeTree(
                path: "/local/domain/3/name", value: Octets(Array("guest".utf8)), children: []),
            NodeTree(
                path: "/local/domain/3/device",
                children: [
                    NodeTree(
                        path: "/local/domain/3/device/vbd", value: Octets([0xFF]),
                        permissions: [
                            Permission(.none, for: DomainID(3)), Permission(.read, for: .dom0),
                        ])
                ]),
            NodeTree(path: "/local/domain/3/secret", refusal: .accessDenied),
        ])

    static let expected: [(TreeStyle, String)] = [
        (
            TreeStyle(),
            """
            /local/domain/3
            ├── name = "guest"
            ├── device
            │   └── vbd = "\\xff"  (n3,r0)
            └── secret  [EACCES]
            """
        ),
        (
            TreeStyle(branches: .ascii),
            """
            /local/domain/3
            |-- name = "guest"
            |-- device
            |   `-- vbd = "\\xff"  (n3,r0)
            `-- secret  [EACCES]
            """
        ),
        (
            TreeStyle(branches: .paths),
            """
            /local/domain/3
            /local/domain/3/name = "guest"
            /local/domain/3/device
            /local/domain/3/device/vbd = "\\xff"  (n3,r0)
            /local/domain/3/secret  [EACCES]
            """
        ),
        (
            TreeStyle(isColoured: true),
            """
            [1;34m/local/domain/3[0m
            [2m├── [0mname = [32m"guest"[0m
            [2m├── [0m[1;34mdevice[0m
            [2m│   └── [0mvbd = [32m"\\xff"[0m  [33m(n3,r0)[0m
            [2m└── [0msecret  [31m[EACCES][0m
            """.split(separator: "\n").map { line in
                // Escapes are left out above, so that the table can be read.
                line.replacing("[1;34m", with: "\u{1B}[1;34m").replacing("[2m", with: "\u{1B}[2m")
                    .replacing("[32m", with: "\u{1B}[32m").replacing("[33m", with: "\u{1B}[33m")
                    .replacing("[31m", with: "\u{1B}[31m").replacing("[0m", with: "\u{1B}[0m")
            }.joined(separator: "\n")
        ),
    ]

    @Test(arguments: expected)
    func looks(_ style: TreeStyle, _ text: String) {
        #expect(TreeRendering(style: style).lines(of: Self.tree).joined(separator: "\n") == text)
    }

    @Test(
        arguments: [
            (nil, #"/a = "0123456789012345678901234567""#),
            (35, #"/a = "0123456789012345678901234567""#),
            (34, #"/a = "012345678901234567890123456…"#), (20, #"/a = "0123456789012…"#),
            (3, #"/a = "0123456…"#),
        ] as [(Int?, String)])
    func longValuesAreCut(_ columnCount: Int?, _ line: String) {
        let digits = (0..<28).map { UInt8(ascii: "0") + UInt8($0 % 10) }
        let rendering = TreeRendering(style: TreeStyle(columnCount: columnCount))
        #expect(rendering.lines(of: NodeTree(path: "/a", value: Octets(digits))) == [line])
    }

    @Test func theRootHasItsName() {
        let tree = NodeTree(path: .root, children: [NodeTree(path: "/tool")])
        #expect(TreeRendering(style: TreeStyle()).lines(of: tree) == ["/", "└── tool"])
    }

    @Test func jsonHasWhatTheTreeHas() {
        #expect(
            Self.tree.json.line == """
                {"path":"/local/domain/3","value":"","children":[\
                {"path":"/local/domain/3/name","value":"guest","children":[]},\
                {"path":"/local/domain/3/device","value":"","children":[\
                {"path":"/local/domain/3/device/vbd","base64":"/w==","permissions":["n3","r0"]}]},\
                {"path":"/local/domain/3/secret","error":"EACCES"}]}
                """)
    }

    @Test(
        arguments: [
            (true, ColourChoice.auto, [:], true), (false, .auto, [:], false),
            (true, .auto, ["NO_COLOR": "1"], false), (true, .auto, ["NO_COLOR": ""], true),
            (true, .auto, ["TERM": "dumb"], false), (true, .never, [:], false),
            (false, .always, ["NO_COLOR": "1"], true),
        ] as [(Bool, ColourChoice, [String: String], Bool)])
    func coloursAreForTerminals(
        _ isInteractive: Bool, _ choice: ColourChoice, _ environment: [String: String],
        _ isColoured: Bool
    ) {
        let style = TreeStyle(
            isInteractive: isInteractive, columnCount: 80, choice, fullPaths: false,
            environment: { environment[$0] })
        #expect(style.isColoured == isColoured)
        #expect(style.columnCount == (isInteractive ? 80 : nil))
    }

    @Test(
        arguments: [
            ([:], TreeStyle.Branches.ascii), (["LANG": "C.UTF-8"], .lines), (["LANG": "C"], .ascii),
            (["LC_ALL": "de_DE.utf8", "LANG": "C"], .lines),
            (["LC_ALL": "", "LANG": "C.UTF-8"], .lines),
            (["LC_CTYPE": "C", "LANG": "C.UTF-8"], .ascii),
        ] as [([String: String], TreeStyle.Branches)])
    func linesAreForUTF8(_ environment: [String: String], _ branches: TreeStyle.Branches) {
        let style = TreeStyle(
            isInteractive: false, columnCount: nil, .auto, fullPaths: false,
            environment: { environment[$0] })
        #expect(style.branches == branches)
    }
}
