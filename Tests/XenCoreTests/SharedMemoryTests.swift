import Testing
import XenCore

@Suite struct SharedMemoryTests {
    @Test func bytesGoInAndComeOutAgain() {
        withPage { page in
            page.store([1, 2, 3], at: 0)
            page.store([4, 5], at: Page.byteCount - 2)
            #expect(page.bytes(at: 0, count: 3) == [1, 2, 3])
            #expect(page.bytes(at: Page.byteCount - 2, count: 2) == [4, 5])
            #expect(page.bytes(at: Page.byteCount, count: 0) == [])
            var copy: [UInt8] = [0, 0]
            unsafe copy.withUnsafeMutableBytes { unsafe page.copyBytes(at: 1, to: $0) }
            #expect(copy == [2, 3])
            page.zero()
            #expect(page.bytes(at: 0, count: 4096) == [UInt8](repeating: 0, count: 4096))
        }
    }

    @Test func sliceIsAWindow() {
        withPage { page in
            let slice = page.slice(offset: 100, byteCount: 8)
            slice.store([9], at: 7)
            #expect(page.bytes(at: 107, count: 1) == [9])
            #expect(slice.byteCount == 8)
            #expect(slice.slice(offset: 8, byteCount: 0).byteCount == 0)
            slice.zero()
            #expect(page.bytes(at: 107, count: 1) == [0])
        }
    }

    @Test func whatIsOutsideTraps() async {
        await #expect(processExitsWith: .failure) {
            withPage { _ = $0.bytes(at: Page.byteCount, count: 1) }
        }
        await #expect(processExitsWith: .failure) {
            withPage { _ = $0.bytes(at: 1, count: .max) }
        }
        await #expect(processExitsWith: .failure) {
            withPage { $0.store([1, 2], at: Page.byteCount - 1) }
        }
        await #expect(processExitsWith: .failure) {
            withPage { $0.store([1], at: -1) }
        }
        await #expect(processExitsWith: .failure) {
            withPage { _ = $0.slice(offset: 1, byteCount: Page.byteCount) }
        }
        await #expect(processExitsWith: .failure) {
            withPage { _ = $0.slice(offset: 8, byteCount: 8).bytes(at: 0, count: 9) }
        }
    }
}

/// A page of private memory, all zeros.
private func withPage(_ body: (SharedMemory) -> Void) {
    let page = UnsafeMutableRawPointer.allocate(
        byteCount: Page.byteCount, alignment: Page.byteCount)
    defer { unsafe page.deallocate() }
    // Safe: the view is used only while the page is allocated.
    let memory = unsafe SharedMemory(base: page, byteCount: Page.byteCount)
    memory.zero()
    body(memory)
}
