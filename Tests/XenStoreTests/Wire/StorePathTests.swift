import Testing
import XenCore
import XenStoreWire

@Suite struct StorePathTests {
    @Test(arguments: ["/", "/a", "/a/b-c_d@e", "a", "a/b", "@releaseDomain", "@x/1", "0"])
    func goodPathsAreKept(_ text: String) throws {
        #expect(try StorePath(text).description == text)
    }

    @Test(arguments: ["", "//", "/a/", "a/", "/a//b", "/a b", "/ü", "/a\0b", "/a.b", "/a:b"])
    func badPathsAreRefused(_ text: String) {
        let error = #expect(throws: StoreError.self) { try StorePath(text) }
        #expect(error?.code == .invalidPath)
    }

    @Test(arguments: [(3071, true), (3072, true), (3073, false), (65536, false)])
    func absolutePathsHaveALimit(_ count: Int, _ isGood: Bool) {
        let text = "/" + String(repeating: "a", count: count - 1)
        #expect(((try? StorePath(text)) != nil) == isGood)
    }

    @Test(arguments: [(2047, true), (2048, true), (2049, false)])
    func relativePathsHaveALimit(_ count: Int, _ isGood: Bool) {
        #expect(((try? StorePath(String(repeating: "a", count: count))) != nil) == isGood)
    }

    @Test func pathsAreTakenApartAndJoined() throws {
        let deep: StorePath = "/a/b/c"
        #expect(deep.parent == "/a/b")
        #expect(("/a" as StorePath).parent == .root)
        #expect(StorePath.root.parent == nil)
        #expect(("a" as StorePath).parent == nil)
        #expect(Array(deep.name) == Array("c".utf8))
        #expect(StorePath.root.name.isEmpty)
        #expect(try StorePath.root.appending("a") == "/a")
        #expect(try deep.appending("d/e") == "/a/b/c/d/e")
        #expect(throws: StoreError.self) { try deep.appending("/x") }
        #expect(try deep.appending("@x") == "/a/b/c/@x")
        #expect(StorePath.home(of: DomainID(7)) == "/local/domain/7")
        #expect(deep.isWithin("/a"))
        #expect(deep.isWithin(deep))
        #expect(deep.isWithin(.root))
        #expect(!("/ab" as StorePath).isWithin("/a"))
        #expect(!StorePath.releaseDomain.isWithin(.root))
        #expect(deep.relative(to: "/a") == "b/c")
        #expect(deep.relative(to: .root) == "a/b/c")
        #expect(deep.relative(to: deep) == nil)
    }

    @Test(arguments: ["n0", "r1", "w65535", "b7"]) func permissionsAreReadBack(_ text: String) {
        #expect(Permission(bytes: Array(text.utf8)[...])?.description == text)
    }

    @Test(arguments: ["", "n", "x1", "r-1", "r65536", "r1 ", "r0x1", "r99999999999999999999"])
    func otherPermissionsAreNone(_ text: String) {
        #expect(Permission(bytes: Array(text.utf8)[...]) == nil)
    }
}
