import CSystem
import Foundation
import Synchronization
import XenCore
import XenSystem

/// A page that both ends of a case share, and one where they meet; gone when the value goes.
final class Stage: Sendable {
    enum Cue: UInt32 { case ready = 1, done }

    let props: Props
    let descriptor: Int32
    /// Invariant: both pages stay mapped as long as this object lives.
    private let pages: SharedMemory

    /// New and empty.
    convenience init(_ descriptors: [Int32]) throws {
        // Safe: the name is copied.
        let descriptor = unsafe csystem_memfd("xen-bench")
        guard descriptor >= 0, ftruncate(descriptor, 2 * Page.byteCount) == 0 else {
            throw SystemFailure("memfd_create")
        }
        try self.init(adopting: descriptor, descriptors)
    }

    /// That of another process, whose descriptor this object closes in the end.
    init(adopting descriptor: Int32, _ descriptors: [Int32]) throws {
        self.descriptor = descriptor
        // Safe: new addresses, chosen by the kernel.
        let base = unsafe mmap(
            nil, 2 * Page.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let base = unsafe base, unsafe base != MAP_FAILED else { throw SystemFailure("mmap") }
        pages = unsafe SharedMemory(base: base, byteCount: 2 * Page.byteCount)
        props = Props(
            memory: pages.slice(offset: 0, byteCount: Page.byteCount), descriptors: descriptors)
    }

    deinit {
        // Safe: these addresses are this object's alone.
        _ = unsafe munmap(pages.baseAddress, pages.byteCount)
        _ = close(descriptor)
    }

    /// Plays a part to its end, in this thread.
    func perform(_ part: Part, _ count: UInt64) throws {
        Processors.ofThisThread()?.only(1).take()
        give(.ready)
        let sum = try part.play(props, count)
        unsafe word(1).pointee.store(sum, ordering: .relaxed)
        give(.done)
    }

    /// What the part read, once it is done.
    var sum: UInt64 { unsafe word(1).pointee.load(ordering: .relaxed) }

    func waitUntil(_ cue: Cue) {
        while unsafe word(0).pointee.load(ordering: .acquiring) < cue.rawValue { sched_yield() }
    }

    private func give(_ cue: Cue) {
        unsafe word(0).pointee.store(UInt64(cue.rawValue), ordering: .releasing)
    }

    /// Of the second page, and only ever accessed atomically.
    @unsafe
    private func word(_ number: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        unsafe (pages.baseAddress + Page.byteCount + 8 * number)
            .assumingMemoryBound(to: Atomic<UInt64>.self)
    }
}
