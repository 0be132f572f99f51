import ArgumentParser
import XenSystem

/// When to colour.
enum ColourChoice: String, ExpressibleByArgument, CaseIterable, Sendable {
    case auto
    case always
    case never
}

extension TreeStyle {
    /// What standard output can show, as the terminal and the environment say.
    static func forOutput(_ choice: ColourChoice, fullPaths: Bool) -> TreeStyle {
        TreeStyle(
            isInteractive: Terminal.output.isInteractive, columnCount: Terminal.output.columnCount,
            choice, fullPaths: fullPaths, environment: environment)
    }

    /// Colours are for terminals that have them, unless `NO_COLOR` is set; lines for locales with UTF-8.
    init(
        isInteractive: Bool, columnCount: Int?, _ choice: ColourChoice, fullPaths: Bool,
        environment: (String) -> String?
    ) {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"]
        let locale = names.lazy.compactMap(environment).first { !$0.isEmpty } ?? ""
        let isUTF8 = ["utf-8", "utf8"].contains { locale.lowercased().contains($0) }
        branches = fullPaths ? .paths : isUTF8 ? .lines : .ascii
        let hasColours =
            isInteractive && (environment("NO_COLOR") ?? "").isEmpty
            && environment("TERM") != "dumb"
        isColoured = choice == .always || choice == .auto && hasColours
        self.columnCount = isInteractive ? columnCount : nil
    }
}
