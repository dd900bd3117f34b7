using System.Text.RegularExpressions;
using Pulse.Web.Hubs;
using Pulse.Web.Tests.Pages;

namespace Pulse.Web.Tests.Contracts;

/// <summary>Compares the tables of docs/hub.md with the hub.</summary>
public sealed partial class HubDocumentTests
{
    [Fact]
    public void Methods_AreThoseOfTheHub() => Assert.Equal(
        typeof(PresenceHub).GetMethods().Where(method => method.DeclaringType == typeof(PresenceHub) && method.GetBaseDefinition() == method)
            .Select(method => method.Name).Order(StringComparer.Ordinal),
        NamesIn("Client to server"));

    [Fact]
    public void Messages_AreThoseOfTheClientInterface() => Assert.Equal(
        typeof(IPulseClient).GetInterfaces().Append(typeof(IPulseClient)).SelectMany(part => part.GetMethods()).Select(method => method.Name).Order(StringComparer.Ordinal),
        NamesIn("Server to client"));

    private static IEnumerable<string> NamesIn(string heading)
    {
        var text = File.ReadAllText(Path.Combine(Checkout.Root, "docs", "hub.md"));
        var section = text.Split($"\n## {heading}\n")[1].Split("\n## ")[0];
        return FirstCell().Matches(section).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal);
    }

    // `| `Name…` | …`: a method may have its arguments behind its name.
    [GeneratedRegex(@"^\| `([A-Z]\w+)[^`]*` \|", RegexOptions.Multiline)]
    private static partial Regex FirstCell();
}
