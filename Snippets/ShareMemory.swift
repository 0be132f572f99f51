// Shares a page with another domain.
import XenGrant
import XenMock

func shareMemory() throws {
    // Two domains in this process. On real Xen each program says `GrantTable.open()` instead.
    let hypervisor = MockHypervisor()
    let guest = GrantTable(hypervisor.domain(DomainID(1)).startProcess(name: "guest").grants)
    let dom0 = GrantTable(hypervisor.domain(.dom0).startProcess(name: "dom0").grants)

    let share = try guest.share(pageCount: 1, with: .dom0)
    share.store(Array("hello".utf8), at: 0)

    let mapping = try dom0.map(share.references, of: DomainID(1))
    let bytes = mapping.bytes(at: 0, count: 5)  // a copy: the guest may write at any moment
    print(String(decoding: bytes, as: UTF8.self))

    try mapping.close()
    try share.close()
    try hypervisor.assertCleanedUp()
}

try shareMemory()
