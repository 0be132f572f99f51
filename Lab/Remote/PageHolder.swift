package import XenCore
package import XenGrant

/// A page that another process is to map until it is killed, and the port by which it says that it has.
package struct PageToHold: Hashable, Sendable, WireValue {
    package let page: GrantedPage
    /// A port of the page's domain. It rings when the page is mapped, and when the process is gone.
    package let port: EventPort

    package init(page: GrantedPage, port: EventPort) {
        self.page = page
        self.port = port
    }

    package func write(to output: inout [UInt8]) { output += wire(page, port) }
    package init(from input: inout WireReader) throws(WireError) {
        (page, port) = try input.next(GrantedPage.self, EventPort.self)
    }
}

/// A process that maps a page.
package protocol PageHolder: AnyObject, Sendable {
    /// Kills the process, without a chance to let go of anything itself, and waits for its end.
    func end() throws
}

/// One in another domain.
final class RemoteHolder: PageHolder {
    private let caller: PartyCaller
    private let number: UInt32

    init(_ page: PageToHold, _ caller: PartyCaller) throws {
        self.caller = caller
        number = try caller.onGrants(.hold, 0, wire(page), returning: UInt32.self)
    }

    /// A second call does nothing.
    func end() throws { try caller.onGrants(.killHolder, 0, wire(number)) }

    deinit { try? end() }
}
