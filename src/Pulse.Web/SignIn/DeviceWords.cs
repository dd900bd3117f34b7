using Pulse.Web.Pages;
using Pulse.Web.Sessions;

namespace Pulse.Web.SignIn;

/// <summary>The text for the name of a device. The name itself is English, because the API has it, and stored notices.</summary>
internal static class DeviceWords
{
    /// <summary>The text for a name of <see cref="DeviceName"/>.</summary>
    public static Words Of(string name)
    {
        if (name == DeviceName.Unknown) return "Unknown device";
        // A program's own name is one word.
        if (name.Split(DeviceName.On, 2) is not [var browser, var system]) return $"{name}";
        return browser == DeviceName.AnyBrowser ? (Words)$"Browser on {system}" : (Words)$"{browser} on {system}";
    }
}
