import XenCore
import XenEvtchn
import XenGrant
package import XenTesting

extension ConformanceCheck {
    /// The signal by which a peer learns of a crash: it needs a process that can be killed.
    ///
    /// - Parameter hold: starts such a process in the right party's domain.
    package static func killedProcess(
        _ hold: @escaping @Sendable (PageToHold) throws -> any PageHolder
    ) -> ConformanceCheck {
        ConformanceCheck("a process that is killed clears its byte and rings its port") { host in
            let (party, peer) = (host.left, host.right.domain)
            let share = try party.grants.share(pageCount: 1, with: peer)
            share.store([1], at: 0)
            let channel = try party.events.bindUnbound(for: peer)
            let holder = try hold(
                PageToHold(
                    page: GrantedPage(share.references[0], of: party.domain), port: channel.port))
            try expectRing(party, "when the process has mapped the page")
            try expect(byte: 1, of: share, "while the process lives")
            try holder.end()
            try expectRing(party, "when the process was killed")
            try expect(byte: 0, of: share, "when the process was killed")
            try share.close()
        }
    }

    private static func expectRing(_ party: ConformanceParty, _ moment: String) throws {
        guard let event = try party.events.wait(until: .after(.seconds(30))) else {
            throw ConformanceFailure("\(moment): expected the port to ring, but nothing did")
        }
        try event.unmask()
    }

    private static func expect(
        byte expected: UInt8, of share: borrowing GrantShare, _ moment: String
    ) throws {
        let found = share.bytes(at: 0, count: 1)[0]
        guard found == expected else {
            throw ConformanceFailure("\(moment): expected the byte \(expected), found \(found)")
        }
    }
}
