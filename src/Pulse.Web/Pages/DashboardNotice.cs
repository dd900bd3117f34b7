namespace Pulse.Web.Pages;

/// <summary>The message at the top of the dashboard.</summary>
/// <param name="Text">A sentence or two.</param>
/// <param name="IsBad">Whether an action failed.</param>
internal sealed record DashboardNotice(string Text, bool IsBad = false)
{
    public const string Profile = "profile";
    public const string Device = "device";
    public const string OtherDevices = "other-devices";
    public const string Linked = "linked";
    public const string Unlinked = "unlinked";
    public const string NotLinked = "not-linked";
    public const string LastWayIn = "last-way-in";
    public const string AddressAsked = "address-asked";
    public const string AddressChanged = "address-changed";
    public const string NotErased = "not-erased";

    /// <summary>The notice above a profile form with faults.</summary>
    public static DashboardNotice NotSaved { get; } = new("Your profile was not saved. See below what to correct.", IsBad: true);

    /// <summary>
    /// The notice of a <c>done</c> parameter. The texts are fixed, because a URL must not be able to put text on the page.
    /// </summary>
    public static DashboardNotice? For(string? done) => done switch
    {
        Profile => new("Your profile is saved."),
        Device => new("That device is signed out."),
        OtherDevices => new("The other devices are signed out."),
        Linked => new("The account is linked. You can sign in with it from now on."),
        Unlinked => new("The account is unlinked, and the devices that had signed in with it are signed out."),
        AddressAsked => new("A mail with a link is on its way to that address. Open the link in this browser."),
        AddressChanged => new("Your e-mail address is confirmed."),
        NotLinked => new("That account is not linked to you. Devices that had signed in with it are signed out within seconds."),
        LastWayIn => new("That account is your only way in, so it stays. Link another one first.", IsBad: true),
        NotErased => new("Your account is not deleted: what you typed is not your e-mail address.", IsBad: true),
        _ => null,
    };
}
