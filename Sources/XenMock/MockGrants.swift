import XenCore
import XenGrant

/// A mock process's handle on its domain's grants.
final class MockGrants: GrantBackend {
    private let process: ProcessID
    private let hypervisor: MockHypervisor

    init(process: ProcessID, hypervisor: MockHypervisor) {
        self.process = process
        self.hypervisor = hypervisor
    }

    func share(
        pageCount: Int, with domain: DomainID, access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawShare {
        try hypervisor.call(by: process) { (state) throws(GrantError) in
            try state.share(
                pageCount: pageCount, with: domain, access: access, notification: notification,
                by: process)
        }
    }

    func unshare(_ share: RawShare) throws(GrantError) {
        try hypervisor.call(by: process) { (state) throws(GrantError) in
            try state.unshare(share, by: process)
        }
    }

    func map(
        _ pages: [GrantedPage], access: GrantAccess, notification: UnmapNotification?
    ) throws(GrantError) -> RawMapping {
        try hypervisor.call(by: process) { (state) throws(GrantError) in
            try state.map(pages, access: access, notification: notification, by: process)
        }
    }

    func unmap(_ mapping: RawMapping) throws(GrantError) {
        try hypervisor.call(by: process) { (state) throws(GrantError) in
            try state.unmap(mapping, by: process)
        }
    }

    func copy(_ segments: [GrantCopySegment]) throws(GrantError) -> [GrantCopyStatus] {
        try hypervisor.call(by: process) { (state) throws(GrantError) in
            try state.copy(segments, by: process)
        }
    }
}
