import XenCore
import XenGrant
import XenSystem

/// What keeps a ring's page in our address space.
enum DomainRingPage: ~Copyable {
    /// A guest's, lent to us.
    case granted(GrantMapping)
    /// That of our own domain's kernel.
    case kernel(MappedPage)

    /// The page. The view ends with this: do not use it afterwards.
    @unsafe
    var memory: SharedMemory {
        switch self {
        case .granted(let mapping): unsafe mapping.memory
        case .kernel(let page): page.memory
        }
    }
}
